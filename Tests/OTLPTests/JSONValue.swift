import Foundation

/// A JSON text as values that can be compared, for tests.
enum JSONValue {
    static func object(_ bytes: [UInt8]) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(bytes))
        guard let object = value as? [String: Any] else { throw NotAnObject() }
        return object
    }

    struct NotAnObject: Error {}
}

extension [String: Any] {
    /// The object at a path, where a number is an index of an array.
    func at(_ path: String...) -> [String: Any] {
        var value: Any = self
        for name in path {
            value = Int(name).map { (value as? [Any])?[$0] ?? [:] } ?? (value as? [String: Any])?[name] ?? [:]
        }
        return value as? [String: Any] ?? [:]
    }

    func text(_ name: String) -> String? { self[name] as? String }

    func number(_ name: String) -> Int? { (self[name] as? NSNumber)?.intValue }

    func list(_ name: String) -> [[String: Any]] { self[name] as? [[String: Any]] ?? [] }

    /// The `attributes` as one text for each name: an integer is a string in JSON.
    var attributes: [String: String] {
        var texts: [String: String] = [:]
        for attribute in list("attributes") {
            let value = attribute.at("value")
            texts[attribute.text("key") ?? ""] =
                value.text("stringValue") ?? value.text("intValue").map { "int \($0)" }
                ?? (value["doubleValue"] as? Double).map { "\($0)" }
        }
        return texts
    }
}
