import JSON
import LoadBalancing
import Testing

/// Reads a JSON object from text.
func object(_ text: String) throws -> JSONObject {
    try #require(try JSONValue(parsing: Array(text.utf8)).object)
}

/// The object that a literal describes.
func object(_ value: JSONValue) -> JSONObject {
    value.object ?? JSONObject()
}

/// Reads the balancers of the list that `text` is.
func balancers(_ text: String) throws -> [LoadBalancer] {
    try LoadBalancer.list(from: try object(#"{"loadBalancers":"# + text + "}"))
}
