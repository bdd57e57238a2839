import Glibc

/// Runs a closure on a thread whose stack has a given size, and waits for it.
func onThread(stackSize: Int, _ body: @escaping () -> Bool) -> Bool {
    final class Call {
        let body: () -> Bool
        var result = false
        init(_ body: @escaping () -> Bool) { self.body = body }
    }
    let call = Call(body)
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    guard pthread_attr_setstacksize(&attributes, stackSize) == 0 else { return false }
    var thread = pthread_t()
    let status = pthread_create(
        &thread, &attributes,
        { context in
            guard let context else { return nil }
            let call = Unmanaged<Call>.fromOpaque(context).takeUnretainedValue()
            call.result = call.body()
            return nil
        }, Unmanaged.passUnretained(call).toOpaque())
    guard status == 0 else { return false }
    pthread_join(thread, nil)
    return call.result
}
