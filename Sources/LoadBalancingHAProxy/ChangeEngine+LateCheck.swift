internal import HAProxy
internal import LoadBalancing
internal import Logging

/// The check of a file by `haproxy -c` that a reply did not wait for.
struct LateCheck {
    /// The last state whose file HAProxy has accepted as a whole; nil when that is the current one.
    var lastGood: HostState?
    var isUnderWay = false
    /// How long changes are gathered before the next check.
    private(set) var pause = Duration.seconds(1)

    /// Takes note that the current file has been checked, or is gone.
    mutating func passed() { lastGood = nil }

    /// Takes note of how long a check took, so that checks take a tenth of a core at most, however many changes come.
    mutating func took(_ duration: Duration) { pause = max(.seconds(1), duration * 9) }

    /// Takes note that nothing is left to be checked.
    mutating func finish() {
        lastGood = nil
        isUnderWay = false
    }
}

// Checking whole files behind the replies: the check takes up to 0.4 s, and one does for many changes in a row.
extension ChangeEngine {
    /// Has the file on disk checked soon.
    ///
    /// - Parameter lastGood: The state before the change, which HAProxy had accepted.
    func checkLater(lastGood: HostState) {
        if lateCheck.lastGood == nil { lateCheck.lastGood = lastGood }
        guard !lateCheck.isUnderWay else { return }
        lateCheck.isUnderWay = true
        Task {
            repeat { try? await Task.sleep(for: lateCheck.pause) } while await !checkNow()
        }
    }

    /// Checks the file; a refusal, which only a fault of this program can lead to, brings the last good state back.
    ///
    /// - Returns: Whether the state that was checked is still the current one.
    private func checkNow() async -> Bool {
        let state = store.current
        guard let lastGood = lateCheck.lastGood else {
            lateCheck.finish()
            return true
        }
        let start = ContinuousClock.now
        var refusal: HAProxyError?
        do {
            try await service.check(configurationAt: service.configurationFile)
        } catch {
            refusal = error
        }
        lateCheck.took(ContinuousClock.now - start)
        guard store.current == state else { return false }
        if let refusal, refusal.code == .invalidConfiguration {
            await gate.enter()
            defer { gate.leave() }
            guard store.current == state else { return false }
            guard await isOnDisk(state) else {
                // Somebody else has written it, and the worker's own was not looked at.
                logger.error("HAProxy refuses a file that is not the last change's: \(refusal.message)")
                lateCheck.finish()
                return true
            }
            logger.error("HAProxy refuses the file of the last change, which is taken back: \(refusal.message)")
            do throws(DriverError) {
                try await apply(lastGood)
            } catch {
                logger.error("the last good state cannot be restored: \(error.message)")
            }
        } else if let refusal {
            logger.error("the configuration file cannot be checked: \(refusal.message)")
        }
        lateCheck.finish()
        return true
    }

    private func isOnDisk(_ state: HostState) async -> Bool {
        guard let text = try? rendered(state).text, let current = try? await readConfiguration() else { return false }
        return current.elementsEqual(text.utf8)
    }
}
