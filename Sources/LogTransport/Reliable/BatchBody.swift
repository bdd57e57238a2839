internal import Glibc
internal import ZeroMQ

/// The bytes of a batch, shared by the window, which may have to send them again, and by libzmq, which sends them.
///
/// `@unchecked Sendable`: the bytes never change; libzmq's threads read and release them.
final class BatchBody: @unchecked Sendable {
    private let bytes: UnsafeRawBufferPointer

    /// Takes bytes over that are to be released with free(3).
    init(taking bytes: UnsafeMutableRawBufferPointer) {
        // A batch that was sent early is small in memory that has room for a full one.
        let fitting = realloc(bytes.baseAddress, max(1, bytes.count)) ?? bytes.baseAddress
        self.bytes = UnsafeRawBufferPointer(start: fitting, count: bytes.count)
    }

    deinit { free(UnsafeMutableRawPointer(mutating: bytes.baseAddress)) }

    /// Has a message hold these bytes, without a copy, for as long as libzmq needs them.
    func lend(to message: inout Message) throws(ZeroMQError) {
        let hint = Unmanaged.passRetained(self)
        do throws(ZeroMQError) {
            try message.adopt(bytes, hint: hint.toOpaque()) { _, hint in
                guard let hint else { return }
                Unmanaged<BatchBody>.fromOpaque(hint).release()
            }
        } catch {
            hint.release()
            throw error
        }
    }
}
