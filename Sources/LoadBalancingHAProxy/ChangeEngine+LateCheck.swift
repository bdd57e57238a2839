internal import HAProxy
internal import LoadBalancing
internal import Logging
internal import SystemPackage

/// The check of a file by `haproxy -c` that a reply did not wait for.
struct LateCheck {
    /// Whether HAProxy has still to be asked about the file of the current state; nobody knows that of a state from before
    /// the worker's start.
    private(set) var isDue = true
    /// The last state whose file HAProxy has accepted as a whole, while that of the current one is not; nil when none is
    /// known.
    private(set) var lastGood: HostState?
    /// Whether somebody sees to it.
    var isUnderWay = false
    /// How long changes are gathered before the next check.
    private(set) var pause = Duration.seconds(1)

    /// Takes note that the current file has been checked, or is gone.
    mutating func passed() {
        isDue = false
        lastGood = nil
    }

    /// Takes note of a change from one state to another whose file nobody has checked.
    mutating func changed(from previous: HostState) {
        if !isDue { lastGood = previous }
        isDue = true
    }

    /// Takes note that the file of a state was accepted which is not the current one any more.
    ///
    /// Where the last good state is not what it was when that check began, it is a later one.
    mutating func accepted(_ state: HostState, after known: HostState?) {
        if isDue, lastGood == known { lastGood = state }
    }

    /// Takes note of how long a check took, so that checks take a tenth of a core at most, however many changes come.
    mutating func took(_ duration: Duration) { pause = max(.seconds(1), duration * 9) }
}

// Checking whole files behind the replies: the check takes up to 0.4 s, and one does for many changes in a row.
extension ChangeEngine {
    private enum Verdict {
        case accepted
        case refused(HAProxyError)
        case unknown
    }

    /// Has the file of a change checked soon.
    func checkLater(previous: HostState) {
        lateCheck.changed(from: previous)
        startChecking()
    }

    /// Has the file of the current state checked soon where nobody has done so: with a worker that ended went its checks.
    func startChecking() {
        guard lateCheck.isDue, !lateCheck.isUnderWay, !store.current.balancers.isEmpty else { return }
        lateCheck.isUnderWay = true
        Task {
            repeat { try? await Task.sleep(for: lateCheck.pause) } while await !checkNow()
            lateCheck.isUnderWay = false
        }
    }

    /// Checks the file of the current state; a refusal, which only a fault of this program can lead to, brings the last good
    /// state back.
    ///
    /// - Returns: Whether nothing is left to be checked.
    private func checkNow() async -> Bool {
        guard lateCheck.isDue else { return true }
        let (state, lastGood) = (store.current, lateCheck.lastGood)
        switch await verdict(on: state) {
        case .unknown: return true
        case .accepted:
            guard store.current == state else {
                lateCheck.accepted(state, after: lastGood)
                return false
            }
            lateCheck.passed()
            return true
        case .refused(let refusal):
            await gate.enter()
            defer { gate.leave() }
            await takeBack(state, because: refusal)
            return true
        }
    }

    /// Goes back to the last good state, unless a change that came meanwhile has made the file good again.
    private func takeBack(_ state: HostState, because refusal: HAProxyError) async {
        var refusal = refusal
        guard lateCheck.isDue else { return }
        if store.current != state {
            switch await verdict(on: store.current) {
            case .refused(let another): refusal = another
            case .accepted: return lateCheck.passed()
            case .unknown: return
            }
        }
        guard let lastGood = lateCheck.lastGood else {
            logger.error("HAProxy refuses the file of the current state, and no good one is known: \(refusal.message)")
            return lateCheck.passed()
        }
        logger.error("HAProxy refuses the file of the last change, which is taken back: \(refusal.message)")
        do throws(DriverError) {
            try await repair(["HAProxy refuses the file of the last change: \(refusal.message)"]) {
                () async throws(DriverError) in try await apply(lastGood)
            }
        } catch {
            logger.error("the last good state cannot be restored: \(error.message)")
        }
        lateCheck.passed()
    }

    /// What HAProxy says of the file of a state: of a copy, for the one in use may be another's meanwhile.
    private func verdict(on state: HostState) async -> Verdict {
        let start = ContinuousClock.now
        defer { lateCheck.took(ContinuousClock.now - start) }
        let copy = AtomicFile(path: options.stateFolder + "/haproxy.cfg.check")
        defer { try? copy.remove() }
        do {
            try copy.write(Array(try rendered(state).text.utf8))
            try await service.check(configurationAt: FilePath(copy.path))
            return .accepted
        } catch let error as HAProxyError where error.code == .invalidConfiguration {
            return .refused(error)
        } catch {
            logger.error("the configuration cannot be checked: \(error)")
            return .unknown
        }
    }
}
