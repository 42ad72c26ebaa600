import Flow

// JSON Schema, draft 7: the version that editors support best (https://json-schema.org/draft-07).

extension Configuration {
    /// The JSON schema of `proxy.conf`, for editors; in UTF-8.
    package static var jsonSchema: [UInt8] {
        var json = JSONText(capacity: 64 << 10)
        json.add("$schema", "http://json-schema.org/draft-07/schema#")
        json.add("title", "proxy.conf of weir")
        Shape.mapping(of: Schema.configuration).describe(in: &json)
        return json.closed()
    }
}

extension Shape {
    private var json: [UInt8] {
        var json = JSONText(capacity: 256)
        describe(in: &json)
        return json.closed()
    }

    /// Adds the keywords of the schema.
    fileprivate func describe(in json: inout JSONText) {
        switch self {
        case .scalar(let scalar, _): scalar.describe(in: &json)
        case .list(let item):
            var list = JSONText()
            list.add("type", "array")
            list.add("items", json: item.json)
            json.add("anyOf", array: [item.json, list.closed()])
        case .sequence(let item):
            json.add("type", "array")
            json.add("items", json: item.json)
            json.add("minItems", 1)
        case .mapping(let entries):
            json.add("type", "object")
            json.add("additionalProperties", false)
            var properties = JSONText(capacity: 1024)
            for entry in entries { properties.add(entry.name, json: entry.json) }
            json.add("properties", json: properties.closed())
            let required = entries.filter(\.isRequired).map(\.name)
            if !required.isEmpty { json.add("required", required) }
        case .entries(let value):
            json.add("type", "object")
            json.add("additionalProperties", json: value.json)
        case .either(let shapes):
            json.add("anyOf", array: shapes.map(\.json))
        }
    }
}

extension Shape.Entry {
    /// The schema of the value, with a description that editors show.
    fileprivate var json: [UInt8] {
        var json = JSONText(capacity: 256)
        if let allowed = shape.allowed { json.add("description", "Allowed: \(allowed)") }
        shape.describe(in: &json)
        return json.closed()
    }
}

extension Shape {
    /// The description of the allowed scalars; `nil` if there are none.
    fileprivate var allowed: String? {
        switch self {
        case .scalar(_, let allowed): return allowed
        case .list(let item): return item.allowed
        case .either(let shapes):
            let texts = shapes.compactMap(\.allowed)
            return texts.isEmpty ? nil : texts.joined(separator: ", or ")
        case .sequence, .mapping, .entries: return nil
        }
    }
}

extension Shape.Scalar {
    /// What a `${NAME}` expands to is not known to an editor.
    private static let variable = #"\$\{"#

    private static let flags = ["true", "false", "yes", "no", "on", "off"]

    /// Adds the keywords of the schema.
    ///
    /// `pattern` applies to strings only, `minimum` and `maximum` to numbers only.
    fileprivate func describe(in json: inout JSONText) {
        switch self {
        case .text: json.add("type", ["string", "number", "boolean"])
        case .string: json.add("type", "string")
        case .pattern(let pattern): add("string", matching: pattern, to: &json)
        case .patternOrNumber(let pattern):
            add("string", "integer", matching: pattern, to: &json)
            json.add("minimum", 0)
        case .number(let range):
            add("integer", "string", matching: "[0-9]+", to: &json)
            json.add("minimum", range.lowerBound)
            json.add("maximum", range.upperBound)
        case .flag: add("boolean", "string", matching: Self.folded(Self.flags), to: &json)
        case .flagOrPort:
            add("boolean", "integer", "string", matching: Self.folded(Self.flags) + "|[0-9]+", to: &json)
            json.add("minimum", 1)
            json.add("maximum", 65535)
        case .words(let words):
            // `1.2` is a number to YAML. The words come first, since editors offer them.
            var numbers = JSONText(), variable = JSONText(), listed = JSONText()
            listed.add("enum", words)
            numbers.add("enum", array: words.filter { Double($0) != nil }.map { Array($0.utf8) })
            variable.add("type", "string")
            variable.add("pattern", Self.variable)
            let hasNumbers = words.contains { Double($0) != nil }
            json.add("anyOf", array: [listed.closed()] + (hasNumbers ? [numbers.closed()] : []) + [variable.closed()])
        case .foldedWords(let words):
            // `false` is no string to YAML.
            var text = JSONText(), truth = JSONText()
            add("string", matching: Self.folded(words), to: &text)
            truth.add("enum", array: [Array("false".utf8)])
            json.add("anyOf", array: [text.closed()] + (words.contains("false") ? [truth.closed()] : []))
        }
    }

    private func add(_ types: String..., matching pattern: String, to json: inout JSONText) {
        json.add("type", types)
        json.add("pattern", "^(\(pattern))$|\(Self.variable)")
    }

    /// A pattern for words in any case.
    private static func folded(_ words: [String]) -> String {
        words.map { word in word.map { "[\($0.lowercased())\($0.uppercased())]" }.joined() }.joined(separator: "|")
    }
}
