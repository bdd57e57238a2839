import ArgumentParser
import CommandKit
import Glibc
import JSON
import LoadBalancing

/// A request that somebody wrote into a file.
enum RequestFile {
    /// What a worker takes at most.
    private static let sizeLimit = 4 << 20
    /// `EX_NOINPUT` of sysexits.h.
    private static let noInput = ExitCode(66)

    /// Reads a JSON object; `-` is standard input.
    static func read(_ name: String) throws(CommandError) -> JSONValue {
        let bytes = try bytes(of: name)
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw CommandError(noInput, "\(shown(name)) is not JSON: \(error)", cause: error)
        }
        guard value.object != nil else { throw CommandError(noInput, "\(shown(name)) is not a JSON object") }
        return value
    }

    /// Reads a JSON object and makes it a request for an action.
    static func read(_ name: String, as action: Action) throws(CommandError) -> JSONValue {
        guard var object = try read(name).object else { return .null }
        object["hpcs_action"] = .string(action.rawValue)
        return .object(object)
    }

    private static func bytes(of name: String) throws(CommandError) -> [UInt8] {
        let descriptor = name == "-" ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(name) }
        defer { if descriptor != STDIN_FILENO { close(descriptor) } }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            guard count > 0 else { throw unreadable(name) }
            bytes += buffer[..<count]
            guard bytes.count <= sizeLimit else {
                throw CommandError(noInput, "\(shown(name)) is larger than the 4 MiB that a worker takes")
            }
        }
    }

    private static func unreadable(_ name: String) -> CommandError {
        CommandError(noInput, "cannot read \(shown(name)): \(String(cString: strerror(errno)))")
    }

    private static func shown(_ name: String) -> String { name == "-" ? "standard input" : name }
}
