package import CommandKit
package import Logging
package import Spool

/// Opens a command's spool, and says what an earlier process left in it.
package enum SpoolOpening {
    /// How long another process may take to leave the spool; less than the 10 s that rsyslog waits for a first OK.
    private static let patience = Duration.seconds(8)

    /// Opens the spool.
    ///
    /// A syslog daemon that is started again starts its program while the one before it still hands lines on. syslog-ng
    /// would write lines to a program that ends at once, and lose them: this one waits until the spool is free.
    ///
    /// - Parameters:
    ///   - options: Where it is, and how it is kept; nil for none.
    ///   - logger: Where it is said what was found.
    /// - Returns: The spool; nil for none.
    /// - Throws: A ``CommandError`` when it cannot be opened.
    package static func open(_ options: SpoolOptions?, logger: Logger) async throws(CommandError) -> Spool? {
        guard let options else { return nil }
        let spool: Spool
        do throws(SpoolError) {
            spool = try await open(options, logger)
        } catch {
            throw CommandError(error)
        }
        let found = spool.recovery
        let name = "the spool \(options.directory)"
        if found.waitingRecords > 0 { logger.info("\(name) has \(found.waitingRecords) lines from before") }
        if found.lostRecords > 0 {
            logger.warning(
                "\(name): \(found.lostRecords) lines at its end are lost, damaged or removed on the disk or dropped before for want of room; a line in the stream says so"
            )
        }
        if found.tornBytes > 0 {
            logger.warning("\(name): \(found.tornBytes) bytes of a write that was interrupted are cut off")
        }
        if found.isOpenToOthers {
            logger.warning(
                "\(name) can be written to by others than its owner, who could take lines away and put in lines of their own: chmod 700 it"
            )
        }
        if found.lostCursor {
            logger.warning("\(name): how far it was read is not known, so that lines in it are sent again")
        }
        return spool
    }

    private static func open(_ options: SpoolOptions, _ logger: Logger) async throws(SpoolError) -> Spool {
        let deadline = ContinuousClock.now + patience
        var isTold = false
        while true {
            do throws(SpoolError) {
                return try Spool(options)
            } catch {
                guard error.code == .inUse, .now < deadline else { throw error }
                if !isTold { logger.info("waits for another process to leave the spool \(options.directory)") }
                isTold = true
                // There is no descriptor that tells when a file's lock is free.
                guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { throw error }
            }
        }
    }
}
