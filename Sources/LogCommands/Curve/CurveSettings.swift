package import CommandKit
package import SystemPackage
package import ZeroMQ

/// Which part a command has in CURVE, from the key files that its settings name.
package enum CurveSettings {
    /// A server's part: it decides who may talk to it.
    ///
    /// - Parameters:
    ///   - settings: The loaded settings.
    ///   - key: The setting that names the server's key file.
    ///   - allow: The setting that names the file with the public keys of those that are let in.
    /// - Returns: The part; nil when neither is set.
    /// - Throws: A ``CommandError`` when one of the two is missing or a file cannot be used.
    package static func server(
        _ settings: Settings, key: Setting<FilePath?>, allow: Setting<FilePath?>
    ) throws(CommandError) -> Curve? {
        guard let (key, allow) = try both(settings, key, allow, "--curve-key and --curve-allow") else { return nil }
        do throws(CurveKeyFileError) {
            let pair = try CurveKeyFile.pair(in: key.path, origin: key.origin)
            let clients = try CurveKeyFile.publicKeys(in: allow.path, origin: allow.origin)
            return .server(CurveServer(secretKey: pair.secretKey, allowedClients: Set(clients)))
        } catch {
            throw CommandError(error)
        }
    }

    /// A client's part: it knows the server's key beforehand.
    ///
    /// - Parameters:
    ///   - settings: The loaded settings.
    ///   - key: The setting that names the client's key file.
    ///   - server: The setting that names the file with the server's public key.
    /// - Returns: The part; nil when neither is set.
    /// - Throws: A ``CommandError`` when one of the two is missing or a file cannot be used.
    package static func client(
        _ settings: Settings, key: Setting<FilePath?>, server: Setting<FilePath?>
    ) throws(CommandError) -> Curve? {
        guard let (key, server) = try both(settings, key, server, "--curve-key and --curve-server") else { return nil }
        do throws(CurveKeyFileError) {
            let pair = try CurveKeyFile.pair(in: key.path, origin: key.origin)
            let keys = try CurveKeyFile.publicKeys(in: server.path, origin: server.origin)
            guard keys.count == 1 else {
                throw CurveKeyFileError(server.path, server.origin, "has \(keys.count) keys, and the server has one")
            }
            return .client(CurveClient(keys: pair, serverKey: keys[0]))
        } catch {
            throw CommandError(error)
        }
    }

    private static func both(
        _ settings: Settings, _ first: Setting<FilePath?>, _ second: Setting<FilePath?>, _ names: String
    ) throws(CommandError) -> ((path: FilePath, origin: String), (path: FilePath, origin: String))? {
        switch (settings[first], settings[second]) {
        case (nil, nil): return nil
        case (let one?, let other?):
            return ((one, settings.origin(of: first) ?? ""), (other, settings.origin(of: second) ?? ""))
        default:
            var faults = SettingFaults(settings)
            faults.add([first, second], "\(names) belong together: either side has to know the other")
            try faults.throwIfAny()
            return nil
        }
    }
}
