package import CommandKit
package import Logging
package import Spool

/// Opens a command's spool, and says what an earlier process left in it.
package enum SpoolOpening {
    /// Opens the spool.
    ///
    /// - Parameters:
    ///   - options: Where it is, and how it is kept; nil for none.
    ///   - logger: Where it is said what was found.
    /// - Returns: The spool; nil for none.
    /// - Throws: A ``CommandError`` when it cannot be opened.
    package static func open(_ options: SpoolOptions?, logger: Logger) throws(CommandError) -> Spool? {
        guard let options else { return nil }
        let spool: Spool
        do throws(SpoolError) {
            spool = try Spool(options)
        } catch {
            throw CommandError(error)
        }
        let found = spool.recovery
        let name = "the spool \(options.directory)"
        if found.waitingRecords > 0 { logger.info("\(name) has \(found.waitingRecords) lines from before") }
        if found.tornBytes > 0 {
            logger.warning("\(name): \(found.tornBytes) bytes of a write that was interrupted are cut off")
        }
        if found.lostCursor {
            logger.warning("\(name): how far it was read is not known, so that lines in it are sent again")
        }
        return spool
    }
}
