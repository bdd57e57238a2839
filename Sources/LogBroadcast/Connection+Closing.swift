internal import AMQP
import DedicatedThread

extension Connection {
    /// Closes it in the background, and waits for that for a while only: an attempt to connect that is under way may take
    /// longer, and delays nobody.
    func close(within limit: Duration) async {
        let isClosed = FirstAnswer<Void>()
        Task.detached { [self] in
            await close()
            isClosed.offer(())
        }
        let clock = Task.detached {
            try? await Task.sleep(for: limit)
            isClosed.offer(())
        }
        await isClosed.value()
        clock.cancel()
    }
}
