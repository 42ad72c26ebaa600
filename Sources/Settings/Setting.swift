import Yams

/// A value of the file with the path of keys that leads to it.
struct Setting {
    let node: Node
    /// Such as `routes.rate.default`; empty for the whole file.
    let path: String
    let reading: Reading

    func report(_ message: String) {
        reading.report("\(path.isEmpty ? "the file" : "`\(path)`") \(message)", at: position)
    }

    func warn(_ message: String) { reading.warn("`\(path)` \(message)", at: position) }

    /// The position of the beginning of this value.
    var position: Position { Position(of: node) }

    var isList: Bool { node.sequence != nil }
    var isMapping: Bool { node.mapping != nil }

    /// The description of this value in an error: its text before the variables are filled in, or its kind.
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

extension Setting {
    /// The value in a form; `nil` after an error was reported.
    ///
    /// `alternative` is added to the allowed values of the error; the caller has tried it before.
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
                throw Refusal(reason: "a value must not contain line breaks, tabs or other control characters")
            }
            if let value = try form.read(text) { return value }
            report("is \(shown); allowed: \(allowed)")
        } catch {
            report("is \(shown): \(error.reason)")
        }
        return nil
    }

    /// Whether this value is a word that disables a part.
    var isOff: Bool {
        guard case .scalar(let scalar) = node else { return false }
        guard let text = try? reading.variables.filled(scalar.string) else { return false }
        return Off.words.contains(text.lowercased())
    }
}

// MARK: - Every kind of value

extension Setting {
    /// A tag that is not one of YAML's own, such as `!include`: weir must not guess its meaning.
    var tag: String? {
        let tag = node.tag.description
        return tag.hasPrefix("tag:yaml.org,2002:") ? nil : tag
    }

    /// Whether a key has no value, or one of YAML's words for null.
    var isNull: Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}

// MARK: - Lists

extension Setting {
    /// The items of a list; any other value is a list of one.
    var items: [Setting] {
        guard case .sequence(let sequence) = node else { return [self] }
        return sequence.map { Setting(node: $0, path: path, reading: reading) }
    }

    /// Every item in a form; `nil` after an error was reported for one of them.
    func values<Value>(_ form: Form<Value>) -> [Value]? {
        let values = items.map { $0.value(form) }
        return values.contains { $0 == nil } ? nil : values.compactMap(\.self)
    }
}

// MARK: - Mappings

extension Setting {
    /// Reads a mapping key by key, and reports its errors.
    ///
    /// `alternative` is added to the allowed values of an error; the caller has tried it before.
    func read<Target>(_ keys: [Key<Target>], into target: inout Target, or alternative: String? = nil) {
        guard case .mapping(let mapping) = node else {
            let allowed = Self.mapping(of: keys) + (alternative.map { ", or \($0)" } ?? "")
            return report("is \(description); allowed: \(allowed)")
        }
        var seen: Set<String> = []
        for (name, value) in mapping {
            let position = Position(of: name)
            guard case .scalar(let name) = name else {
                reading.report("a key must be a word, not a list or a mapping", at: position)
                continue
            }
            seen.insert(name.string)
            let setting = child(name.string, value)
            if let key = keys.first(where: { $0.name == name.string }) {
                setting.read(key, of: &target)
            } else {
                reading.report(unknown(name.string, path: setting.path, keys.map(\.name)), at: position)
            }
        }
        for key in keys where key.isRequired && !seen.contains(key.name) {
            reading.report("`\(child(key.name, node).path)` is missing", at: position)
        }
    }

    /// Reads the value of a key, unless it is null or has a tag.
    private func read<Target>(_ key: Key<Target>, of target: inout Target) {
        if isNull {
            report("has no value: write one, or omit the key")
        } else if let tag {
            report("has the tag \(quoted(tag)); allowed: no tag")
        } else {
            key.read(self, &target)
        }
    }

    /// The description of a mapping of these keys in an error.
    static func mapping<Target>(of keys: [Key<Target>]) -> String {
        "a mapping of \(choice(of: keys.map(\.name), joint: "and"))"
    }

    /// The value of a key of this mapping, for checks of several keys.
    subscript(name: String) -> Setting? {
        guard case .mapping(let mapping) = node else { return nil }
        return mapping.first { $0.key.scalar?.string == name }.map { child(name, $0.value) }
    }

    /// The names and values of a mapping whose keys are not fixed; `nil` if it is no mapping of words.
    var entries: [(name: Setting, value: Setting)]? {
        guard case .mapping(let mapping) = node else { return nil }
        var entries: [(name: Setting, value: Setting)] = []
        for (name, value) in mapping {
            guard case .scalar(let word) = name else { return nil }
            entries.append((Setting(node: name, path: path, reading: reading), child(word.string, value)))
        }
        return entries
    }

    /// Reports a mapping that has both of two keys, or neither.
    func requireOne(of first: String, _ second: String) {
        guard isMapping, (self[first] == nil) == (self[second] == nil) else { return }
        report("is \(description); allowed: a mapping of either `\(first)` or `\(second)`")
    }

    private func child(_ name: String, _ node: Node) -> Setting {
        Setting(node: node, path: path.isEmpty ? name : "\(path).\(name)", reading: reading)
    }

    private func unknown(_ name: String, path: String, _ known: [String]) -> String {
        if let meant = Spelling.variant(of: name, among: known) {
            return "unknown key \(quoted(name)): did you mean `\(meant)`?"
        }
        guard let nearest = Spelling.nearest(to: name, among: known) else { return "unknown key \(quoted(name))" }
        // At most a third of the letters wrong is a typing error; beyond that the operator needs the list of keys.
        if nearest.distance <= max(1, name.count / 3) {
            return "unknown key \(quoted(name)): did you mean `\(nearest.word)`?"
        }
        if let home = Schema.home(of: name) { return "unknown key \(quoted(name)) here: it belongs to \(home)" }
        let others = known.filter { $0 != nearest.word }
        return "unknown key \(quoted(name)); known here: \(choice(of: [nearest.word] + others, joint: "and"))"
    }
}
