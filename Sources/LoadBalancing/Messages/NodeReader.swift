import JSON

/// Reads the `nodes` of a balancer.
enum NodeReader {
    static func read(_ values: [JSONValue]) throws(MessageError) -> [Node] {
        var objects: [JSONObject] = []
        objects.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            guard let object = value.object else {
                throw MessageError(.invalid, "A node must be an object, not \(value.quoted)", at: .node(index))
            }
            objects.append(object)
        }
        let hasIDs = objects.contains { FieldReader($0)["id"] != nil }
        var nodes: [Node] = []
        nodes.reserveCapacity(values.count)
        for (index, object) in objects.enumerated() {
            do throws(MessageError) {
                nodes.append(try read(object, position: index + 1, hasIDs: hasIDs))
            } catch {
                throw error.in { $0.node = index }
            }
        }
        return nodes
    }

    private static func read(_ object: JSONObject, position: Int, hasIDs: Bool) throws(MessageError) -> Node {
        let reader = FieldReader(object, lead: "Failure adding server \(label(of: object, at: position)): ")
        guard let port = try reader.wholeNumber("port", as: Port.self) else { throw missing("port") }
        guard let address = try readAddress(reader) else { throw missing("address") }
        let id = try reader.identifier("id", as: NodeID.self)
        guard let key = hasIDs ? id.map(NodeKey.id) : .position(position) else { throw missing("id") }
        return Node(
            key: key,
            address: address,
            port: port,
            weight: try readWeight(reader) ?? 1,
            isBackup: try reader.flag("backup") ?? false,
            condition: try reader.word(Field.condition) ?? .enabled)
    }

    /// What sentences call a node whose identifier may not even be one.
    private static func label(of object: JSONObject, at position: Int) -> String {
        FieldReader(object)["id"]?.shown ?? NodeKey.position(position).description
    }

    private static func readAddress(_ reader: FieldReader) throws(MessageError) -> NodeAddress? {
        try reader.text("address", mustBe: "the IPv4 or IPv6 address of one host, or a host name")
    }

    private static func readWeight(_ reader: FieldReader) throws(MessageError) -> Weight? {
        guard let value = reader["weight"] else { return nil }
        guard let number = value.wholeNumber else {
            throw fault(reader, "Non-integer 'weight' value: \(value.quoted)")
        }
        guard let weight = Weight(exactly: number) else {
            throw fault(
                reader,
                number > Weight.range.upperBound
                    ? "Server 'weight' \(value.shown) exceeds max of \(Weight.range.upperBound)"
                    : "Server 'weight' \(value.shown) is below min of \(Weight.range.lowerBound)")
        }
        return weight
    }

    private static func fault(_ reader: FieldReader, _ text: String) -> MessageError {
        MessageError(.invalid, reader.lead() + text, at: .field("weight"))
    }

    private static func missing(_ field: String) -> MessageError {
        MessageError(.missing, "Missing node '\(field)'")
    }
}
