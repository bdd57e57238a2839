import JSON
import LoadBalancing
import Testing

@Suite struct SecretsTests {
    @Test("a token is masked wherever it stands, whatever its type and the case of its field")
    func masked() {
        let message: JSONValue = [
            "hpcs_object_store_token": "s3cret", "a": [["HPCS_Object_Store_Token": ["s3cret"]], 1],
            "hpcs_object_store_tokens": "shown", "b": ["c": ["hpcs_object_store_token": 7]],
        ]
        #expect(
            message.masked == [
                "hpcs_object_store_token": "*****", "a": [["HPCS_Object_Store_Token": "*****"], 1],
                "hpcs_object_store_tokens": "shown", "b": ["c": ["hpcs_object_store_token": "*****"]],
            ])
    }

    @Test("a message without a token stays as it is")
    func unmasked() {
        let message: JSONValue = ["a": [1, .null, true, "token"], "b": ["token": "x"]]
        #expect(message.masked == message)
    }
}
