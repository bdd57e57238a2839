/// The names of fields that are used in more than one place.
enum Field {
    static let action = "hpcs_action"
    static let response = "hpcs_response"
    static let error = "hpcs_error"
    static let badRequest = "badRequest"
    static let status = "status"
    static let token = "hpcs_object_store_token"
    static let loadBalancers = "loadBalancers"

    /// How the oldest client spells ``loadBalancers``.
    static let oldLoadBalancers = "loadbalancers"
    static let nodes = "nodes"
    static let monitor = "monitor"
    static let path = "path"
    static let condition = "condition"
    static let plan = "plan"
    static let utcStart = "utc_start"
    static let utcEnd = "utc_end"
}
