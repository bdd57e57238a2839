/// A socket's part in CURVE (zmq_curve(7)): authenticated on both sides and encrypted.
///
/// It does not matter which side binds and which connects.
public enum Curve: Sendable {
    /// The side that decides who may talk to it.
    case server(CurveServer)
    /// The side that knows the server's key beforehand.
    case client(CurveClient)
}

/// A CURVE server: its key, and whom it lets in.
public struct CurveServer: Sendable {
    /// Proves who it is.
    public let secretKey: CurveSecretKey
    /// Who is let in.
    ///
    /// The others are refused in the handshake: they get no message, and none of theirs is taken.
    public let allowedClients: Set<CurvePublicKey>

    /// A server that lets `allowedClients` in.
    public init(secretKey: CurveSecretKey, allowedClients: Set<CurvePublicKey>) {
        self.secretKey = secretKey
        self.allowedClients = allowedClients
    }
}

/// A CURVE client: its keys, and the server that it trusts.
public struct CurveClient: Sendable {
    /// Who it is.
    public let keys: CurveKeyPair
    /// The only server that it talks to.
    public let serverKey: CurvePublicKey

    /// A client with `keys` that trusts the server with `serverKey`.
    public init(keys: CurveKeyPair, serverKey: CurvePublicKey) {
        self.keys = keys
        self.serverKey = serverKey
    }
}
