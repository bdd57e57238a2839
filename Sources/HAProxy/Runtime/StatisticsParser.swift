/// Reads the CSV of `show stat` in one pass over its bytes.
///
/// Fields are split on commas; a field in double quotes may contain commas, line ends and doubled quotes, as HAProxy
/// writes them (`csv_enc` of its `tools.c`).
struct StatisticsParser {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    static func rows(_ reply: [UInt8]) throws(HAProxyError) -> [Statistics.Row] {
        try reply.withUnsafeBufferPointer { (bytes) throws(HAProxyError) in
            var parser = StatisticsParser(bytes: bytes)
            return try parser.rows()
        }
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private mutating func rows() throws(HAProxyError) -> [Statistics.Row] {
        let columns = try header()
        var rows: [Statistics.Row] = []
        // A row takes about 250 bytes.
        rows.reserveCapacity(bytes.count / 200)
        var fields = [Field](repeating: Field(), count: columns.count)
        while position < bytes.count {
            if bytes[position] == newline {
                position += 1
                continue
            }
            var index = 0
            var isLast = false
            while !isLast {
                let field = try nextField(isLast: &isLast)
                if index < fields.count { fields[index] = field }
                index += 1
            }
            // A row that was cut short has no type, and rows after the last column of the header have no name.
            guard index >= fields.count else {
                throw HAProxyError(
                    .unreadableReply,
                    "row \(rows.count + 1) of HAProxy's statistics has \(index) columns, not \(fields.count)")
            }
            rows.append(row(fields, columns))
        }
        return rows
    }

    private mutating func header() throws(HAProxyError) -> StatisticsColumns {
        guard bytes.starts(with: "# ".utf8) else {
            let words = String(decoding: bytes.prefix(200).prefix { $0 != newline }, as: UTF8.self)
            throw HAProxyError(.unreadableReply, "HAProxy answered 'show stat' with \(quoted(words))")
        }
        position = 2
        var names: [String] = []
        var isLast = false
        while !isLast { names.append(text(try nextField(isLast: &isLast))) }
        return try StatisticsColumns(names)
    }

    /// Where a field is; `isEscaped` when it contains doubled quotes.
    private struct Field {
        var start = 0
        var end = 0
        var isEscaped = false
    }

    private mutating func nextField(isLast: inout Bool) throws(HAProxyError) -> Field {
        var field = Field(start: position, end: position)
        if position < bytes.count, bytes[position] == quote {
            field.start += 1
            position += 1
            while true {
                guard position < bytes.count else {
                    throw HAProxyError(.unreadableReply, "a quoted field of HAProxy's statistics has no end")
                }
                if bytes[position] == quote {
                    guard position + 1 < bytes.count, bytes[position + 1] == quote else { break }
                    field.isEscaped = true
                    position += 1
                }
                position += 1
            }
            field.end = position
            position += 1
        } else {
            while position < bytes.count, bytes[position] != comma, bytes[position] != newline { position += 1 }
            field.end = position
        }
        isLast = position >= bytes.count || bytes[position] != comma
        guard !isLast || position >= bytes.count || bytes[position] == newline else {
            throw HAProxyError(.unreadableReply, "a quoted field of HAProxy's statistics goes on after its end")
        }
        position += 1
        return field
    }

    private func row(_ fields: [Field], _ columns: StatisticsColumns) -> Statistics.Row {
        func text(_ column: Int?) -> String { column.map { self.text(fields[$0]) } ?? "" }
        func number(_ column: Int?) -> UInt64? { column.flatMap { self.number(fields[$0]) } }
        func integer(_ column: Int?) -> Int { number(column).flatMap { Int(exactly: $0) } ?? 0 }
        return Statistics.Row(
            kind: kind(fields, columns), proxy: text(columns.proxy), server: text(columns.server),
            status: ServerStatus(text(columns.status)), weight: integer(columns.weight),
            activeServers: integer(columns.active), backupServers: integer(columns.backup),
            checkStatus: text(columns.checkStatus), checkDescription: text(columns.checkDescription),
            lastCheck: text(columns.lastCheck), currentSessions: number(columns.currentSessions) ?? 0,
            sessionLimit: number(columns.sessionLimit), totalSessions: number(columns.totalSessions) ?? 0,
            totalRequests: number(columns.totalRequests) ?? 0,
            bytesIn: number(columns.bytesIn) ?? 0, bytesOut: number(columns.bytesOut) ?? 0,
            lastChange: number(columns.lastChange).map { .seconds($0) },
            address: text(columns.address), cookie: text(columns.cookie))
    }

    /// The column `type` is a number; without it the server's name tells.
    private func kind(_ fields: [Field], _ columns: StatisticsColumns) -> Statistics.Row.Kind {
        switch columns.type.flatMap({ number(fields[$0]) }) {
        case 0: .frontend
        case 1: .backend
        case 3: .listener
        case 2: .server
        default:
            switch text(fields[columns.server]) {
            case "FRONTEND": .frontend
            case "BACKEND": .backend
            default: .server
            }
        }
    }

    private func text(_ field: Field) -> String {
        let slice = UnsafeBufferPointer(rebasing: bytes[field.start..<field.end])
        guard field.isEscaped else { return String(decoding: slice, as: UTF8.self) }
        var result: [UInt8] = []
        var isSecond = false
        for byte in slice {
            isSecond = byte == quote && !isSecond
            if !isSecond { result.append(byte) }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The field as a number; nil when it is empty or something else.
    private func number(_ field: Field) -> UInt64? {
        guard field.start < field.end else { return nil }
        var value: UInt64 = 0
        for index in field.start..<field.end {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isStillTooLarge) = product.addingReportingOverflow(UInt64(digit))
            guard !isTooLarge, !isStillTooLarge else { return nil }
            value = sum
        }
        return value
    }

    private var comma: UInt8 { UInt8(ascii: ",") }
    private var quote: UInt8 { UInt8(ascii: "\"") }
    private var newline: UInt8 { UInt8(ascii: "\n") }
}

/// Where the columns are that a row is made of.
struct StatisticsColumns: Sendable {
    let count: Int
    let proxy: Int
    let server: Int
    let status: Int
    let type, weight, active, backup, checkStatus, checkDescription, lastCheck: Int?
    let currentSessions, sessionLimit, totalSessions, totalRequests: Int?
    let bytesIn, bytesOut, lastChange, address, cookie: Int?

    init(_ names: [String]) throws(HAProxyError) {
        var positions: [String: Int] = [:]
        for (index, name) in names.enumerated() where positions[name] == nil { positions[name] = index }
        guard let proxy = positions["pxname"], let server = positions["svname"], let status = positions["status"] else {
            throw HAProxyError(
                .unreadableReply, "HAProxy's statistics lack one of the columns 'pxname', 'svname' and 'status'")
        }
        (count, self.proxy, self.server, self.status) = (names.count, proxy, server, status)
        type = positions["type"]
        weight = positions["weight"]
        active = positions["act"]
        backup = positions["bck"]
        checkStatus = positions["check_status"]
        checkDescription = positions["check_desc"]
        lastCheck = positions["last_chk"]
        currentSessions = positions["scur"]
        sessionLimit = positions["slim"]
        totalSessions = positions["stot"]
        totalRequests = positions["req_tot"]
        bytesIn = positions["bin"]
        bytesOut = positions["bout"]
        lastChange = positions["lastchg"]
        address = positions["addr"]
        cookie = positions["cookie"]
    }
}
