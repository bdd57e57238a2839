enum StatisticsParser {
    static func rows(_ reply: [UInt8]) throws(HAProxyError) -> [Statistics.Row] { [] }
}
