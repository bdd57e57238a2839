import CZeroMQ

/// The public half of a CURVE key pair: what a peer is known by (zmq_curve(7)).
public struct CurvePublicKey: Sendable, Hashable, CustomStringConvertible {
    let bytes: [UInt8]

    /// Reads a key in Z85, as ZeroMQ RFC 32 writes it.
    ///
    /// - Parameter text: 40 printable characters.
    /// - Throws: ``ZeroMQError`` with the code `invalidArgument`.
    public init(z85 text: String) throws(ZeroMQError) {
        bytes = try Z85.decode(text, "a CURVE public key")
    }

    init?(bytes: [UInt8]) {
        guard bytes.count == Z85.keyBytes else { return nil }
        self.bytes = bytes
    }

    /// The key in Z85.
    public var description: String { Z85.encode(bytes) }
}

/// The secret half of a CURVE key pair.
///
/// It shows itself in no log or error.
public struct CurveSecretKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let bytes: [UInt8]

    /// Reads a key in Z85, as ZeroMQ RFC 32 writes it.
    ///
    /// - Parameter text: 40 printable characters.
    /// - Throws: ``ZeroMQError`` with the code `invalidArgument`; the text is not in it.
    public init(z85 text: String) throws(ZeroMQError) {
        bytes = try Z85.decode(text, "a CURVE secret key")
    }

    /// The key in Z85, to be stored.
    public var z85: String { Z85.encode(bytes) }

    /// The public key that belongs to it.
    ///
    /// - Throws: ``ZeroMQError`` when libzmq was built without CURVE.
    public func publicKey() throws(ZeroMQError) -> CurvePublicKey {
        let text = try Z85.text { zmq_curve_public($0, z85) }
        return try CurvePublicKey(z85: text)
    }

    /// That there is one.
    public var description: String { "(a CURVE secret key)" }
    /// That there is one.
    public var debugDescription: String { description }
    /// Nothing of it.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Who a peer is: a key pair (zmq_curve(7)).
public struct CurveKeyPair: Sendable {
    /// What others know it by.
    public let publicKey: CurvePublicKey
    /// What it proves that with.
    public let secretKey: CurveSecretKey

    /// The pair that a secret key belongs to.
    ///
    /// - Parameter secretKey: The secret key.
    /// - Throws: ``ZeroMQError`` when libzmq was built without CURVE.
    public init(secretKey: CurveSecretKey) throws(ZeroMQError) {
        self.secretKey = secretKey
        publicKey = try secretKey.publicKey()
    }

    /// Makes a new pair from the operating system's random numbers (zmq_curve_keypair(3)).
    ///
    /// - Returns: The pair.
    /// - Throws: ``ZeroMQError`` when libzmq was built without CURVE.
    public static func generate() throws(ZeroMQError) -> CurveKeyPair {
        var publicText = ""
        let secretText = try Z85.text { (secret) throws(ZeroMQError) in
            var code: Int32 = 0
            publicText = try Z85.text {
                code = zmq_curve_keypair($0, secret)
                return code
            }
            return code
        }
        let pair = try CurveKeyPair(secretKey: CurveSecretKey(z85: secretText))
        guard pair.publicKey.description == publicText else {
            throw ZeroMQError(.systemError, "libzmq made two keys that do not belong together")
        }
        return pair
    }
}

/// Keys as text (ZeroMQ RFC 32).
private enum Z85 {
    static let keyBytes = 32
    static let keyCharacters = 40

    /// Has libzmq write a key, with its closing NUL.
    static func text(
        _ write: (UnsafeMutablePointer<CChar>?) throws(ZeroMQError) -> Int32
    ) throws(ZeroMQError) -> String {
        var buffer = [CChar](repeating: 0, count: keyCharacters + 1)
        var code: Int32 = 0
        try buffer.withUnsafeMutableBufferPointer { (buffer) throws(ZeroMQError) in code = try write(buffer.baseAddress)
        }
        guard code == 0 else { throw ZeroMQError(zmq_errno(), "libzmq has no CURVE") }
        return String(decoding: buffer.prefix(keyCharacters).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func encode(_ bytes: [UInt8]) -> String {
        var buffer = [CChar](repeating: 0, count: keyCharacters + 1)
        zmq_z85_encode(&buffer, bytes, bytes.count)
        return String(decoding: buffer.prefix(keyCharacters).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func decode(_ text: String, _ what: String) throws(ZeroMQError) -> [UInt8] {
        guard text.utf8.count == keyCharacters else {
            throw ZeroMQError(
                .invalidArgument, "\(what) has \(keyCharacters) characters of Z85, not \(text.utf8.count)")
        }
        var bytes = [UInt8](repeating: 0, count: keyBytes)
        // What decodes to something else again, for example by overflow, was no Z85.
        guard zmq_z85_decode(&bytes, text) != nil, encode(bytes) == text else {
            throw ZeroMQError(.invalidArgument, "\(what) is written in Z85, and this holds what Z85 does not")
        }
        return bytes
    }
}
