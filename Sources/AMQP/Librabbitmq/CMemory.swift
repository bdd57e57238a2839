internal import CRabbitMQ

/// Memory for the arguments of librabbitmq's functions, which point at each other; freed with this object.
final class CMemory {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit {
        for block in blocks { block.deallocate() }
    }

    func bytes(_ text: String) -> amqp_bytes_t { bytes(Array(text.utf8)) }

    func bytes(_ bytes: [UInt8]) -> amqp_bytes_t {
        guard !bytes.isEmpty else { return amqp_empty_bytes }
        let block = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 1)
        block.copyMemory(from: bytes, byteCount: bytes.count)
        blocks.append(block)
        return amqp_bytes_t(len: bytes.count, bytes: block)
    }

    func table(_ table: FieldTable) -> amqp_table_t {
        let entries = table.map { entry in
            amqp_table_entry_t(key: bytes(entry.key), value: field(entry.value))
        }
        return amqp_table_t(num_entries: Int32(entries.count), entries: array(entries))
    }

    /// A table with one more entry; the others are shared with `table`.
    func table(_ table: amqp_table_t, adding name: String, _ value: FieldValue) -> amqp_table_t {
        let old = UnsafeBufferPointer(start: table.entries, count: Int(table.num_entries))
        let entries = old + [amqp_table_entry_t(key: bytes(name), value: field(value))]
        return amqp_table_t(num_entries: Int32(entries.count), entries: array(entries))
    }

    func value<Value>(_ value: Value) -> UnsafePointer<Value> {
        let pointer = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        pointer.initialize(to: value)
        blocks.append(UnsafeMutableRawPointer(pointer))
        return UnsafePointer(pointer)
    }

    private func array<Element>(_ elements: [Element]) -> UnsafeMutablePointer<Element>? {
        guard !elements.isEmpty else { return nil }
        let pointer = UnsafeMutablePointer<Element>.allocate(capacity: elements.count)
        pointer.initialize(from: elements, count: elements.count)
        blocks.append(UnsafeMutableRawPointer(pointer))
        return pointer
    }

    func field(_ value: FieldValue) -> amqp_field_value_t {
        var field = amqp_field_value_t()
        func set(_ kind: amqp_field_value_kind_t) { field.kind = UInt8(truncatingIfNeeded: kind.rawValue) }
        switch value {
        case .void:
            set(AMQP_FIELD_KIND_VOID)
        case .bool(let value):
            set(AMQP_FIELD_KIND_BOOLEAN)
            field.value.boolean = value ? 1 : 0
        case .integer(let value):
            set(AMQP_FIELD_KIND_I64)
            field.value.i64 = value
        case .unsigned(let value):
            set(AMQP_FIELD_KIND_I64)
            field.value.i64 = Int64(clamping: value)
        case .double(let value):
            set(AMQP_FIELD_KIND_F64)
            field.value.f64 = value
        case .decimal(let scale, let value):
            set(AMQP_FIELD_KIND_DECIMAL)
            field.value.decimal = amqp_decimal_t(decimals: scale, value: value)
        case .string(let text):
            set(AMQP_FIELD_KIND_UTF8)
            field.value.bytes = bytes(text)
        case .bytes(let value):
            set(AMQP_FIELD_KIND_BYTES)
            field.value.bytes = bytes(value)
        case .timestamp(let seconds):
            set(AMQP_FIELD_KIND_TIMESTAMP)
            field.value.u64 = seconds
        case .table(let nested):
            set(AMQP_FIELD_KIND_TABLE)
            field.value.table = table(nested)
        case .array(let values):
            set(AMQP_FIELD_KIND_ARRAY)
            field.value.array = amqp_array_t(
                num_entries: Int32(values.count), entries: array(values.map { self.field($0) }))
        }
        return field
    }
}

/// Text from librabbitmq; what is no UTF-8 is replaced.
func text(_ bytes: amqp_bytes_t) -> String {
    String(decoding: UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len), as: UTF8.self)
}

/// A copy of bytes from librabbitmq.
func array(_ bytes: amqp_bytes_t) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len))
}

/// A copy of a table from librabbitmq.
func fieldTable(_ table: amqp_table_t) -> FieldTable {
    var result: FieldTable = [:]
    for entry in UnsafeBufferPointer(start: table.entries, count: Int(table.num_entries)) {
        result[text(entry.key)] = fieldValue(entry.value)
    }
    return result
}

private func fieldValue(_ field: amqp_field_value_t) -> FieldValue {
    switch amqp_field_value_kind_t(UInt32(field.kind)) {
    case AMQP_FIELD_KIND_BOOLEAN: .bool(field.value.boolean != 0)
    case AMQP_FIELD_KIND_I8: .integer(Int64(field.value.i8))
    case AMQP_FIELD_KIND_U8: .integer(Int64(field.value.u8))
    case AMQP_FIELD_KIND_I16: .integer(Int64(field.value.i16))
    case AMQP_FIELD_KIND_U16: .integer(Int64(field.value.u16))
    case AMQP_FIELD_KIND_I32: .integer(Int64(field.value.i32))
    case AMQP_FIELD_KIND_U32: .integer(Int64(field.value.u32))
    case AMQP_FIELD_KIND_I64: .integer(field.value.i64)
    case AMQP_FIELD_KIND_U64: Int64(exactly: field.value.u64).map { .integer($0) } ?? .unsigned(field.value.u64)
    case AMQP_FIELD_KIND_F32: .double(Double(field.value.f32))
    case AMQP_FIELD_KIND_F64: .double(field.value.f64)
    case AMQP_FIELD_KIND_DECIMAL: .decimal(scale: field.value.decimal.decimals, value: field.value.decimal.value)
    case AMQP_FIELD_KIND_UTF8:
        // A broker passes on what publishers call text, whatever it is.
        String(validating: array(field.value.bytes), as: UTF8.self).map { .string($0) }
            ?? .bytes(array(field.value.bytes))
    case AMQP_FIELD_KIND_BYTES: .bytes(array(field.value.bytes))
    case AMQP_FIELD_KIND_TIMESTAMP: .timestamp(field.value.u64)
    case AMQP_FIELD_KIND_TABLE: .table(fieldTable(field.value.table))
    case AMQP_FIELD_KIND_ARRAY:
        .array(
            UnsafeBufferPointer(start: field.value.array.entries, count: Int(field.value.array.num_entries))
                .map(fieldValue))
    default: .void
    }
}
