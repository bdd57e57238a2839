import HAProxy
import Testing

@Suite struct ValueTests {
}
