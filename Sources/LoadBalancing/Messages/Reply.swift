import JSON

/// The answer to a message: the message itself, with what became of it added.
struct Reply {
    /// The two words of `hpcs_response`.
    enum Response: String {
        case pass = "PASS"
        case fail = "FAIL"
    }

    private(set) var object: JSONObject
    private(set) var response = Response.pass
    private(set) var error: String?

    /// What the change that was asked for did, and the balancers that it names: not for the sender.
    var summary: ChangeSummary?
    var balancers: [BalancerKey] = []

    /// Begins the answer to `message`: its secrets are masked, and what an earlier answer added to it is gone.
    init(to message: JSONObject) {
        object = message.masked
        for field in [Field.error, Field.badRequest] { object[field] = nil }
        // Anything else in `status` is the sender's own.
        if object[Field.status] == Reply.deleted { object[Field.status] = nil }
        object[Field.response] = .string(response.rawValue)
    }

    /// Sets a field of the answer; nil removes it.
    subscript(field: String) -> JSONValue? {
        get { object[field] }
        set { object[field] = newValue }
    }

    mutating func fail(_ message: String) {
        response = .fail
        error = message
        object[Field.response] = .string(response.rawValue)
        object[Field.error] = .string(message)
    }

    /// Fails with the element that tells old clients what is wrong with their message.
    mutating func fail(_ error: MessageError) {
        fail(error.message)
        addBadRequest(error.text)
    }

    mutating func fail(_ error: DriverError, of action: Action) {
        guard error.code != .deleted else {
            fail("Invalid operation \(action.rawValue) on a deleted LB.")
            object[Field.status] = Reply.deleted
            return
        }
        fail(error.message)
        if error.code == .invalid { addBadRequest(error.message) }
    }

    private mutating func addBadRequest(_ text: String) {
        object[Field.badRequest] = [
            "code": "400",
            "message": "Validation fault",
            "details": "The object is not valid",
            "validationErrors": ["message": .string(text)],
        ]
    }

    private static let deleted: JSONValue = "DELETED"
}
