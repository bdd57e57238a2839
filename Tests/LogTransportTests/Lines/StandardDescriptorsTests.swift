import Glibc
import Testing

@testable import LogTransport

@Suite struct StandardDescriptorsTests {
    /// A number that nothing else in the tests comes to.
    private let descriptor: Int32 = 1011

    @Test("a descriptor that was closed reads as at its end, and refuses what is written")
    func occupied() {
        StandardDescriptors.occupy(descriptor)
        defer { close(descriptor) }
        var byte: UInt8 = 0
        #expect(read(descriptor, &byte, 1) == 0)
        let (written, reason) = (write(descriptor, &byte, 1), errno)
        #expect(written == -1)
        #expect(reason == EBADF)
    }

    @Test("a descriptor that is open stays what it is")
    func open() {
        let file = Glibc.open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer { close(file) }
        StandardDescriptors.occupy(file)
        #expect(fcntl(file, F_GETFL) & O_ACCMODE == O_WRONLY)
    }
}
