/// A broker that messages are copied to from others, which may have some that it cannot keep.
package protocol CopyPlace: Broker {
    /// Why a message cannot be kept here, whatever is tried; `nil` where it can.
    func refusal(of message: Message) -> String?
}

extension LogBroker: CopyPlace {
    package func refusal(of message: Message) -> String? {
        guard message.body.count > Message.maximumBody else { return nil }
        return "it has \(message.body.count) bytes, and \(Message.maximumBody) (8 MiB) are the most in a log"
    }
}
