/// One key of a mapping: its name, how its value changes the target, how the target's value is written, and which values editors
/// accept.
struct Key<Target> {
    let name: String
    private(set) var isRequired = false
    let shape: Shape
    /// The value of the target; `nil` if the key is omitted because it has no effect in the target.
    private(set) var write: (Target) -> YAMLText?
    /// Reads the value, which is not null, and reports its errors.
    let read: (Setting, inout Target) -> Void

    /// - Parameters:
    ///   - name: The key.
    ///   - shape: The values that editors accept.
    ///   - write: The value of a target.
    ///   - read: Reads the value into a target.
    init(
        name: String, _ shape: Shape, write: @escaping (Target) -> YAMLText?,
        read: @escaping (Setting, inout Target) -> Void
    ) {
        (self.name, self.shape, self.write, self.read) = (name, shape, write, read)
    }

    /// This key as a required one.
    var required: Key {
        var key = self
        key.isRequired = true
        return key
    }

    /// This key, written only in targets in which it has an effect: elsewhere the reader may reject it.
    func written(if hasEffect: @escaping (Target) -> Bool) -> Key {
        var key = self
        key.write = { [write] target in hasEffect(target) ? write(target) : nil }
        return key
    }
}

extension Key {
    /// A key whose value is one scalar.
    init<Value>(_ name: String, _ form: Form<Value>, _ property: WritableKeyPath<Target, Value>) {
        self.init(name: name, form.shape, write: { .scalar(form.text($0[keyPath: property])) }) { setting, target in
            if let value = setting.value(form) { target[keyPath: property] = value }
        }
    }

    /// A key whose value is one scalar, for a target that distinguishes an omitted key from a written one.
    init<Value>(_ name: String, _ form: Form<Value>, _ property: WritableKeyPath<Target, Value?>) {
        self.init(
            name: name, form.shape, write: { $0[keyPath: property].map { .scalar(form.text($0)) } }
        ) { setting, target in
            if let value = setting.value(form) { target[keyPath: property] = value }
        }
    }

    /// A key whose value is one scalar, or one of the words for `nil`.
    init<Value>(
        _ name: String, _ form: Form<Value>, or words: [String], _ property: WritableKeyPath<Target, Value?>
    ) {
        self.init(name, form.or(words), property)
    }

    /// A key whose value is one scalar, or a word that disables its part.
    init<Value>(_ name: String, orOff form: Form<Value>, _ property: WritableKeyPath<Target, Value?>) {
        self.init(name, form.or(Off.words), property)
    }

    /// A key whose value is a list of scalars, or one scalar; it is omitted if the list is empty.
    init<Value>(_ name: String, listOf form: Form<Value>, _ property: WritableKeyPath<Target, [Value]>) {
        self.init(
            name: name, .list(of: form.shape),
            write: { $0[keyPath: property].isEmpty ? nil : .list($0[keyPath: property].map(form.text)) }
        ) { setting, target in
            if let values = setting.values(form) { target[keyPath: property] = values }
        }
    }

    /// A key whose value is a mapping; it is omitted if the mapping is empty.
    init<Value>(_ name: String, _ keys: [Key<Value>], _ property: WritableKeyPath<Target, Value>) {
        self.init(name: name, .mapping(of: keys), write: { .mapping(of: $0[keyPath: property], by: keys).unlessEmpty })
        {
            setting, target in setting.read(keys, into: &target[keyPath: property])
        }
    }

    /// A key whose value is a mapping, or a word that disables its part.
    ///
    /// Keys that the mapping omits keep the target's values, or those of `standard` if the part is disabled in the
    /// target.
    init<Value>(
        _ name: String, orOff keys: [Key<Value>], _ property: WritableKeyPath<Target, Value?>, from standard: Value
    ) {
        self.init(
            name: name, .mapping(of: keys).orOff,
            write: { .mapping(of: $0[keyPath: property], orOffBy: keys) }
        ) { setting, target in
            guard !setting.isOff else { return target[keyPath: property] = nil }
            var value = target[keyPath: property] ?? standard
            setting.read(keys, into: &value, or: Off.allowed)
            target[keyPath: property] = value
        }
    }

    /// A key whose value is a mapping with required keys, or a word that disables its part; errors leave the target as it was.
    ///
    /// - Parameters:
    ///   - name: The key.
    ///   - keys: Those of the mapping.
    ///   - property: The part; `nil` if it is disabled.
    ///   - blank: The initial value, whose required values are replaced.
    ///   - check: Reports contradictions between the keys of a value that was read without errors.
    init<Value>(
        _ name: String, wholeOrOff keys: [Key<Value>], _ property: WritableKeyPath<Target, Value?>, from blank: Value,
        check: @escaping (Value, Setting) -> Void
    ) {
        self.init(
            name: name, .mapping(of: keys).orOff,
            write: { .mapping(of: $0[keyPath: property], orOffBy: keys) }
        ) { setting, target in
            guard !setting.isOff else { return target[keyPath: property] = nil }
            let errors = setting.reading.errors.count
            var value = blank
            setting.read(keys, into: &value, or: Off.allowed)
            guard errors == setting.reading.errors.count else { return }
            target[keyPath: property] = value
            check(value, setting)
        }
    }

    /// The key `header` of a target that can be the name of a field.
    ///
    /// - Parameters:
    ///   - name: The name that a target is; `nil` if it is something else.
    ///   - target: The target that is this name.
    /// - Returns: The key.
    static func header(_ name: @escaping (Target) -> String?, _ target: @escaping (String) -> Target) -> Key {
        Key(name: "header", Form.headerName.shape, write: { name($0).map { .scalar($0) } }) { setting, source in
            if let name = setting.value(.headerName) { source = target(name) }
        }
    }
}
