import NIOHTTP1

/// A request to an HTTP server.
struct HTTPRequest: Sendable {
    /// What is asked for.
    var method: HTTPMethod
    /// Where the server is.
    var endpoint: HTTPEndpoint
    /// What is asked about, percent-encoded, with a slash in front: it is sent as it stands, behind the endpoint's path.
    var path: String
    /// What stands behind the `?`, percent-encoded; empty for none.
    var query = ""
    /// The headers; `Host` and `Content-Length` are added.
    var headers: [(name: String, value: String)] = []
    /// The body; `nil` for a request without one.
    var body: ArraySlice<UInt8>?

    /// The path and query as they are sent.
    var target: String { endpoint.path + path + (query.isEmpty ? "" : "?\(query)") }
}

/// What an HTTP server answered, whole.
struct HTTPResponse: Sendable {
    /// The status, such as 200.
    let status: Int
    /// The headers.
    let headers: HTTPHeaders
    /// The body, as long as `Content-Length` says where that is given.
    let body: [UInt8]

    /// A header's first value.
    subscript(name: String) -> String? { headers.first(name: name) }
}
