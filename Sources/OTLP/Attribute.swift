import Flow

/// One attribute of a span, an event or a resource.
package struct Attribute: Equatable, Sendable {
    package enum Value: Equatable, Sendable {
        case text(String)
        case number(Int)
        case seconds(Duration)
    }

    package let name: String
    package let value: Value

    package init(_ name: String, _ text: String) { (self.name, value) = (name, .text(text)) }

    package init(_ name: String, _ number: Int) { (self.name, value) = (name, .number(number)) }

    package init(_ name: String, seconds: Duration) { (self.name, value) = (name, .seconds(seconds)) }

    /// As a `KeyValue`.
    private var json: [UInt8] {
        var value = JSONText(capacity: 64)
        switch self.value {
        case .text(let text): value.add("stringValue", text)
        case .number(let number): value.add(int64: number, "intValue")
        case .seconds(let duration): value.add("doubleValue", duration.inSeconds)
        }
        var json = JSONText(capacity: 96)
        json.add("key", name)
        json.add("value", json: value.closed())
        return json.closed()
    }

    fileprivate static func list(_ attributes: [Attribute]) -> [[UInt8]] { attributes.map(\.json) }
}

extension JSONText {
    /// Adds the member `attributes`.
    mutating func add(_ attributes: [Attribute]) { add("attributes", array: Attribute.list(attributes)) }

    /// Adds an integer of 64 bits, which is a string in the JSON form of Protocol Buffers.
    mutating func add(int64 value: Int, _ name: String) { add(name, String(value)) }
}
