/// Refuses a name that is empty or longer than an AMQP short string.
func checkName(_ name: String, _ what: String) throws(AMQPError) {
    if name.isEmpty { throw AMQPError(.invalidArgument, "a name of \(what) is empty") }
    try checkShort(name, "name of \(what) '\(name.prefix(32))…'")
}

/// Refuses text longer than an AMQP short string.
func checkShort(_ text: String, _ what: String) throws(AMQPError) {
    if text.utf8.count > 255 { throw AMQPError(.invalidArgument, "the \(what) has more than 255 bytes") }
}

/// Refuses keys that AMQP cannot carry, and tables that might not fit a frame.
func checkTable(_ table: FieldTable, _ what: String) throws(AMQPError) {
    var left = 16_384
    try checkTable(table, what, depth: 0, left: &left)
}

private func checkTable(_ table: FieldTable, _ what: String, depth: Int, left: inout Int) throws(AMQPError) {
    for (key, value) in table {
        if key.isEmpty || key.utf8.count > 128 {
            throw AMQPError(.invalidArgument, "the \(what) have a key that has not 1 to 128 bytes")
        }
        left -= key.utf8.count + 1
        try checkValue(value, what, depth: depth, left: &left)
    }
}

private func checkValue(_ value: FieldValue, _ what: String, depth: Int, left: inout Int) throws(AMQPError) {
    if depth > 16 { throw AMQPError(.invalidArgument, "the \(what) are nested deeper than 16 levels") }
    left -= 9
    switch value {
    case .string(let text): left -= text.utf8.count
    case .bytes(let bytes): left -= bytes.count
    case .table(let table): try checkTable(table, what, depth: depth + 1, left: &left)
    case .array(let values): for value in values { try checkValue(value, what, depth: depth + 1, left: &left) }
    default: break
    }
    if left < 0 { throw AMQPError(.invalidArgument, "the \(what) are larger than 16 KiB") }
}
