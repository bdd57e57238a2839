/// How messages travel.
package enum Delivery: String, CaseIterable, Sendable {
    /// PUSH to PULL: at most once, and what libzmq holds for a peer is lost with that peer.
    case push
    /// With acknowledgements and redelivery: at least once.
    case reliable
}
