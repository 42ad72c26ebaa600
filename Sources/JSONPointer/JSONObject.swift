import CSimdJSON

/// The members of one JSON object (RFC 8259), read whole.
package struct JSONObject {
    /// The value of a member.
    package enum Value: Equatable, Sendable {
        case string(String)
        /// A number without a fraction and an exponent.
        case integer(Int)
        case double(Double)
        case boolean(Bool)
        /// null, an object, an array, or a number out of the range of the others.
        case other
    }

    package typealias Member = (name: String, value: Value)

    /// In the order of the text; several of one name if they are written.
    package private(set) var members: [Member] = []

    /// Reads a text.
    ///
    /// - Returns: `nil` if it is not one JSON object in UTF-8, or if it is nested more than 512 deep. Of a number that is out of
    ///   range it is not checked how it is written.
    /// - Complexity: O(n).
    package init?(_ text: [UInt8]) {
        let isWhole = text.withUnsafeBytes { text in
            let characters = text.assumingMemoryBound(to: CChar.self)
            return withUnsafeMutablePointer(to: &members) { members in
                weir_json_each_member(characters.baseAddress, characters.count, addMember, members)
            }
        }
        guard isWhole else { return nil }
    }
}

/// The visitor of `weir_json_each_member`, whose context is the list of members.
private func addMember(
    context: UnsafeMutableRawPointer?, name: weir_json_name, value: UnsafePointer<weir_json_value>?
) {
    guard let context, let value = value?.pointee else { return }
    let read: JSONObject.Value =
        switch value.kind {
        case weir_json_value_string: .string(string(value.text, value.length))
        case weir_json_value_integer: .integer(Int(value.integer))
        case weir_json_value_double: .double(value.number)
        case weir_json_value_boolean: .boolean(value.boolean)
        default: .other
        }
    context.assumingMemoryBound(to: [JSONObject.Member].self).pointee.append((string(name.text, name.length), read))
}

private func string(_ text: UnsafePointer<CChar>?, _ length: Int) -> String {
    String(decoding: UnsafeRawBufferPointer(start: text, count: length), as: UTF8.self)
}
