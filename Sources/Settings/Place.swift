import Yams

/// One reading of a file: whom to ask for variables, and where its errors go.
///
/// A class, because every place of the file reports to the same list.
final class Reading {
    let file: String
    let variables: Variables
    private(set) var errors: [ConfigurationError] = []

    init(file: String, variables: Variables) { (self.file, self.variables) = (file, variables) }

    func report(_ message: String, at position: Position) {
        errors.append(.init(file: file, line: position.line, column: position.column, message: message))
    }
}

/// A place in a text, counted from 1, columns in Unicode scalars.
package struct Position: Equatable, Sendable {
    package var line = 1
    package var column = 1
}

/// A value of the file together with the path of keys that leads to it.
struct Place {
    let node: Node
    /// Such as `routes.rate.default`; empty for the whole file.
    let path: String
    let reading: Reading

    func report(_ message: String) {
        reading.report("\(path.isEmpty ? "the file" : "`\(path)`") \(message)", at: position)
    }

    /// Where this value begins.
    var position: Position { Position(of: node) }

    var isList: Bool { node.sequence != nil }
    var isMapping: Bool { node.mapping != nil }

    /// What an error calls this value: its text before the variables are filled in, or its kind.
    var description: String {
        switch node {
        case .scalar(let scalar): scalar.string.isEmpty ? "empty" : quoted(scalar.string)
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}

// MARK: - Scalars

extension Place {
    /// This value in a form; `nil`, and reported, where it has another.
    ///
    /// The error names the alternative, which the caller has tried before.
    func value<Value>(_ form: Form<Value>, or alternative: String? = nil) -> Value? {
        let allowed = alternative.map { "\(form.allowed), or \($0)" } ?? form.allowed
        guard case .scalar(let scalar) = node else {
            report("is \(description); allowed: \(allowed)")
            return nil
        }
        let shown = form.isSecret ? "a text that is not shown" : description
        do throws(Refusal) {
            let text = try reading.variables.filled(scalar.string)
            guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
                throw Refusal(reason: "a value has no line breaks, tabs or other control characters")
            }
            if let value = try form.read(text) { return value }
            report("is \(shown); allowed: \(allowed)")
        } catch {
            report("is \(shown): \(error.reason)")
        }
        return nil
    }

    /// Whether this value is a word that switches a part off.
    var isOff: Bool {
        guard case .scalar(let scalar) = node else { return false }
        guard let text = try? reading.variables.filled(scalar.string) else { return false }
        return Off.words.contains(text.lowercased())
    }
}

// MARK: - Every kind of value

extension Place {
    /// A tag that is none of YAML's own, such as `!include`: to ignore it would be to guess.
    var tag: String? {
        let tag = node.tag.description
        return tag.hasPrefix("tag:yaml.org,2002:") ? nil : tag
    }

    /// Whether a key stands alone, its value left out, or says so in YAML's words.
    var isNull: Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}

// MARK: - Lists

extension Place {
    /// The items of a list; a value that is no list is a list of one.
    var items: [Place] {
        guard case .sequence(let sequence) = node else { return [self] }
        return sequence.map { Place(node: $0, path: path, reading: reading) }
    }

    /// Every item in a form; `nil` where one of them was reported.
    func values<Value>(_ form: Form<Value>) -> [Value]? {
        let values = items.map { $0.value(form) }
        return values.contains { $0 == nil } ? nil : values.compactMap(\.self)
    }
}

// MARK: - Mappings

extension Place {
    /// Reads a mapping key by key; whatever is wrong in it is reported.
    ///
    /// The error names the alternative, which the caller has tried before.
    func read<Target>(_ keys: [Key<Target>], into target: inout Target, or alternative: String? = nil) {
        guard case .mapping(let mapping) = node else {
            let allowed = Self.mapping(of: keys) + (alternative.map { ", or \($0)" } ?? "")
            return report("is \(description); allowed: \(allowed)")
        }
        var seen: Set<String> = []
        for (name, value) in mapping {
            let position = Position(of: name)
            guard case .scalar(let name) = name else {
                reading.report("a key is a word, not a list or a mapping", at: position)
                continue
            }
            seen.insert(name.string)
            let place = child(name.string, value)
            if let key = keys.first(where: { $0.name == name.string }) {
                place.read(key, of: &target)
            } else {
                reading.report(unknown(name.string, path: place.path, keys.map(\.name)), at: position)
            }
        }
        for key in keys where key.isRequired && !seen.contains(key.name) {
            reading.report("`\(child(key.name, node).path)` is missing", at: position)
        }
    }

    /// Reads the value of a key, unless there is none or nobody can tell what it means.
    private func read<Target>(_ key: Key<Target>, of target: inout Target) {
        if isNull {
            report("has no value: write one, or leave the key out")
        } else if let tag {
            report("has the tag \(quoted(tag)); allowed: no tag")
        } else {
            key.read(self, &target)
        }
    }

    /// How an error names a mapping of these keys.
    static func mapping<Target>(of keys: [Key<Target>]) -> String {
        "a mapping of \(choice(of: keys.map(\.name), joint: "and"))"
    }

    /// The value of a key of this mapping, for checks that join several.
    subscript(name: String) -> Place? {
        guard case .mapping(let mapping) = node else { return nil }
        return mapping.first { $0.key.scalar?.string == name }.map { child(name, $0.value) }
    }

    private func child(_ name: String, _ node: Node) -> Place {
        Place(node: node, path: path.isEmpty ? name : "\(path).\(name)", reading: reading)
    }

    private func unknown(_ name: String, path: String, _ known: [String]) -> String {
        guard let nearest = Spelling.nearest(to: name, among: known) else { return "unknown key \(quoted(name))" }
        // A third of the letters wrong is a slip; beyond that the operator needs to see what there is.
        if nearest.distance <= max(1, name.count / 3) {
            return "unknown key \(quoted(name)): did you mean `\(nearest.word)`?"
        }
        let others = known.filter { $0 != nearest.word }
        return "unknown key \(quoted(name)); known here: \(choice(of: [nearest.word] + others, joint: "and"))"
    }
}

extension Position {
    /// Where a node begins; Yams marks every node that it composes.
    init(of node: Node) { self.init(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1) }
}
