internal import CommandKit
internal import Glibc
package import SystemPackage
package import ZeroMQ

/// The files that hold CURVE keys: lines `public-key = …` and `secret-key = …`, the key in the 40 characters of Z85 (ZeroMQ
/// RFC 32); a line that begins with `#` is a comment, and blank lines do not count.
///
/// The form is documented in `docs/hayrack.md`, so that keys can be made elsewhere too.
package enum CurveKeyFile {
    /// Reads a secret key file, with one public and one secret key.
    ///
    /// It must not be open to others.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - origin: The option or key that names it.
    /// - Returns: The keys.
    /// - Throws: ``CurveKeyFileError``.
    package static func pair(in path: FilePath, origin: String) throws(CurveKeyFileError) -> CurveKeyPair {
        let content = try content(of: path, origin: origin, mustBePrivate: true)
        guard content.publicKeys.count == 1, content.secretKeys.count == 1 else {
            throw CurveKeyFileError(
                path, origin,
                "is not a secret key file, which has one public-key and one secret-key line; "
                    + "'hayrack keygen' makes one")
        }
        guard let pair = try? CurveKeyPair(secretKey: content.secretKeys[0]), pair.publicKey == content.publicKeys[0]
        else { throw CurveKeyFileError(path, origin, "has a public and a secret key that do not belong together") }
        return pair
    }

    /// Reads a file of public keys: one or more, and no secret one.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - origin: The option or key that names it.
    /// - Returns: The keys; at least one.
    /// - Throws: ``CurveKeyFileError``.
    package static func publicKeys(in path: FilePath, origin: String) throws(CurveKeyFileError) -> [CurvePublicKey] {
        let content = try content(of: path, origin: origin, mustBePrivate: false)
        guard content.secretKeys.isEmpty else {
            throw CurveKeyFileError(path, origin, "holds a secret key: name the file with the public one")
        }
        guard !content.publicKeys.isEmpty else { throw CurveKeyFileError(path, origin, "has no public-key line") }
        return content.publicKeys
    }

    /// The text of a secret key file.
    package static func secretText(_ pair: CurveKeyPair, name: String) -> String {
        """
        # The CURVE keys of \(name). Keep this file to yourself; others get the one that ends in .pub.
        public-key = \(pair.publicKey)
        secret-key = \(pair.secretKey.z85)

        """
    }

    /// The text of a public key file.
    package static func publicText(_ pair: CurveKeyPair, name: String) -> String {
        """
        # The public CURVE key of \(name).
        public-key = \(pair.publicKey)

        """
    }

    /// Writes a new file.
    ///
    /// - Parameters:
    ///   - text: All that is to be in it.
    ///   - path: A file that is not there yet.
    ///   - mode: Its mode, whatever the umask is.
    /// - Throws: ``CurveKeyFileError``; what was begun is removed.
    package static func create(_ text: String, at path: FilePath, mode: UInt32) throws(CurveKeyFileError) {
        let file = path.withPlatformString { open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600) }
        guard file >= 0 else {
            throw CurveKeyFileError(
                path, nil, errno == EEXIST ? "is there already, and is not replaced" : "cannot be made: \(lastProblem)")
        }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard write(file, bytes, bytes.count) == bytes.count, fchmod(file, mode) == 0, fsync(file) == 0 else {
            let problem = lastProblem
            _ = path.withPlatformString { unlink($0) }
            throw CurveKeyFileError(path, nil, "cannot be written: \(problem)")
        }
    }

    // MARK: Reading

    struct Content {
        var publicKeys: [CurvePublicKey] = []
        var secretKeys: [CurveSecretKey] = []
    }

    /// Reads the lines; nothing that an error says repeats what stands in them.
    static func parse(_ text: String) -> Result<Content, LineProblem> {
        var content = Content()
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = line.drop { $0.isWhitespace }
            if line.isEmpty || line.hasPrefix("#") { continue }
            let parts = line.split(separator: "=", maxSplits: 1).map { $0.trimmingWhitespace }
            guard parts.count == 2, parts[0] == "public-key" || parts[0] == "secret-key" else {
                return .failure(LineProblem(index + 1, "is neither 'public-key = …' nor 'secret-key = …'"))
            }
            do throws(ZeroMQError) {
                if parts[0] == "public-key" {
                    content.publicKeys.append(try CurvePublicKey(z85: parts[1]))
                } else {
                    content.secretKeys.append(try CurveSecretKey(z85: parts[1]))
                }
            } catch {
                return .failure(LineProblem(index + 1, "has no key of 40 characters in Z85"))
            }
        }
        return .success(content)
    }

    /// What is wrong with which line.
    struct LineProblem: Error, Equatable {
        let line: Int
        let words: String

        init(_ line: Int, _ words: String) {
            self.line = line
            self.words = words
        }
    }

    private static func content(
        of path: FilePath, origin: String, mustBePrivate: Bool
    ) throws(CurveKeyFileError) -> Content {
        let file = path.withPlatformString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard file >= 0 else {
            throw CurveKeyFileError(path, origin, errno == ENOENT ? "does not exist" : "cannot be read: \(lastProblem)")
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw CurveKeyFileError(path, origin, "is not a regular file")
        }
        guard !mustBePrivate || status.st_mode & 0o077 == 0 else {
            throw CurveKeyFileError(
                path, origin, "can be read by others than its owner: chmod 600 it, or make new keys")
        }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = read(file, &bytes, bytes.count)
        guard count >= 0 else { throw CurveKeyFileError(path, origin, "cannot be read: \(lastProblem)") }
        guard count < bytes.count else { throw CurveKeyFileError(path, origin, "is larger than 1 MiB") }
        switch parse(String(decoding: bytes[..<count], as: UTF8.self)) {
        case .success(let content): return content
        case .failure(let problem):
            throw CurveKeyFileError(path, origin, "line \(problem.line) \(problem.words)")
        }
    }

    private static var lastProblem: String { String(cString: strerror(errno)) }
}

/// What is wrong with a key file.
package struct CurveKeyFileError: Error, CustomStringConvertible {
    /// The option or key that names the file, the file, and the problem.
    package let description: String

    init(_ path: FilePath, _ origin: String?, _ problem: String) {
        description = "\(origin.map { "\($0): " } ?? "")the key file '\(visibleText(path.string))' \(problem)"
    }
}

extension Substring {
    /// The text without white space around it.
    fileprivate var trimmingWhitespace: String {
        var text = drop { $0.isWhitespace }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
