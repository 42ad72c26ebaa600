/// One key of a mapping: its name, and how its value changes the target.
struct Key<Target> {
    let name: String
    var isRequired = false
    /// Reads the value, which is not null, and reports its errors.
    let read: (Setting, inout Target) -> Void
}

extension Key {
    /// A key whose value is one scalar.
    init<Value>(_ name: String, _ form: Form<Value>, _ property: WritableKeyPath<Target, Value>) {
        self.init(name: name) { setting, target in
            if let value = setting.value(form) { target[keyPath: property] = value }
        }
    }

    /// A key whose value is one scalar, for a target that distinguishes an omitted key from a written one.
    init<Value>(_ name: String, _ form: Form<Value>, _ property: WritableKeyPath<Target, Value?>) {
        self.init(name: name) { setting, target in
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

    /// A key whose value is a list of scalars, or one scalar.
    init<Value>(_ name: String, listOf form: Form<Value>, _ property: WritableKeyPath<Target, [Value]>) {
        self.init(name: name) { setting, target in
            if let values = setting.values(form) { target[keyPath: property] = values }
        }
    }

    /// A key whose value is a mapping.
    init<Value>(_ name: String, _ keys: [Key<Value>], _ property: WritableKeyPath<Target, Value>) {
        self.init(name: name) { setting, target in setting.read(keys, into: &target[keyPath: property]) }
    }

    /// A key whose value is a mapping, or a word that disables its part.
    ///
    /// Keys that the mapping omits keep the target's values, or those of `standard` if the part is disabled in the
    /// target.
    init<Value>(
        _ name: String, orOff keys: [Key<Value>], _ property: WritableKeyPath<Target, Value?>, from standard: Value
    ) {
        self.init(name: name) { setting, target in
            guard !setting.isOff else { return target[keyPath: property] = nil }
            var value = target[keyPath: property] ?? standard
            setting.read(keys, into: &value, or: Off.allowed)
            target[keyPath: property] = value
        }
    }

    /// This key as a required one.
    var required: Key { Key(name: name, isRequired: true, read: read) }
}
