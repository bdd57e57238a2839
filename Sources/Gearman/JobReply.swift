/// One answer of ``Client/submitAll(_:timeout:)``.
public struct JobReply: Sendable {
    /// The position of the request among those that were submitted.
    public let index: Int
    /// The function of the request.
    public let function: String
    /// The worker's result, or why there is none.
    public let result: Result<[UInt8], GearmanError>
}
