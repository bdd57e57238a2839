internal import ArgumentParser
package import CommandKit
internal import Glibc
package import SystemPackage
internal import ZeroMQ

/// Makes a pair of CURVE keys and puts them into two new files.
package enum KeyGeneration {
    /// The files that were made.
    package struct Files: Equatable, Sendable {
        /// The one to keep, mode 0600.
        package let secret: FilePath
        /// The one for the other side, mode 0644.
        package let `public`: FilePath
    }

    /// Makes `NAME.key` and `NAME.pub`; neither may be there already.
    ///
    /// - Parameter name: Where the files are to be, without their ends.
    /// - Returns: The files.
    /// - Throws: A ``CommandError`` with `cannotCreate`; no file is left then.
    package static func make(_ name: FilePath) throws(CommandError) -> Files {
        guard let label = name.lastComponent?.string else {
            throw CommandError(.usage, "a name for the files is missing, as in 'hayrack keygen web1'")
        }
        let files = Files(secret: FilePath("\(name).key"), public: FilePath("\(name).pub"))
        let pair: CurveKeyPair
        do throws(ZeroMQError) {
            pair = try CurveKeyPair.generate()
        } catch {
            throw CommandError(.unavailable, error.message, cause: error)
        }
        let shown = visibleText(label)
        do throws(CurveKeyFileError) {
            try CurveKeyFile.create(CurveKeyFile.secretText(pair, name: shown), at: files.secret, mode: 0o600)
            do throws(CurveKeyFileError) {
                try CurveKeyFile.create(CurveKeyFile.publicText(pair, name: shown), at: files.public, mode: 0o644)
            } catch {
                _ = files.secret.withPlatformString { unlink($0) }
                throw error
            }
        } catch {
            throw CommandError(.cannotCreate, "\(error)", cause: error)
        }
        return files
    }
}
