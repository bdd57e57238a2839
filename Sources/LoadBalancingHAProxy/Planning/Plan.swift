/// What makes HAProxy serve another configuration than it does.
enum Plan: Equatable, Sendable {
    /// It serves it already.
    case nothing
    /// These steps over the Runtime API, in this order.
    case steps([PlanStep])
    /// A reload, for reasons that each name what forces it.
    case reload([String])
}
