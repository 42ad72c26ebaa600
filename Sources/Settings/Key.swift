/// One key of a mapping: its name, and what its value does to the thing that is being read.
struct Key<Target> {
    let name: String
    var isRequired = false
    /// Reads the value, which is not null, and reports what is wrong with it.
    let read: (Place, inout Target) -> Void
}

extension Key {
    /// A key whose value is one scalar.
    init<Value>(_ name: String, _ form: Form<Value>, _ property: WritableKeyPath<Target, Value>) {
        self.init(name: name) { place, target in
            if let value = place.value(form) { target[keyPath: property] = value }
        }
    }

    /// A key whose value is one scalar, where the target tells a key that was left out from one that was written.
    init<Value>(_ name: String, _ form: Form<Value>, _ property: WritableKeyPath<Target, Value?>) {
        self.init(name: name) { place, target in
            if let value = place.value(form) { target[keyPath: property] = value }
        }
    }

    /// A key whose value is one scalar, or one of the words that stand for `nil`.
    init<Value>(
        _ name: String, _ form: Form<Value>, or words: [String], _ property: WritableKeyPath<Target, Value?>
    ) {
        self.init(name, form.or(words), property)
    }

    /// A key whose value is one scalar, or that switches its part off.
    init<Value>(_ name: String, orOff form: Form<Value>, _ property: WritableKeyPath<Target, Value?>) {
        self.init(name, form.or(Off.words), property)
    }

    /// A key whose value is a list of scalars, or one of them.
    init<Value>(_ name: String, listOf form: Form<Value>, _ property: WritableKeyPath<Target, [Value]>) {
        self.init(name: name) { place, target in
            if let values = place.values(form) { target[keyPath: property] = values }
        }
    }

    /// A key whose value is a mapping.
    init<Value>(_ name: String, _ keys: [Key<Value>], _ property: WritableKeyPath<Target, Value>) {
        self.init(name: name) { place, target in place.read(keys, into: &target[keyPath: property]) }
    }

    /// A key whose value is a mapping, or that switches its part off.
    ///
    /// What the mapping leaves out stays as the target has it, or as in `standard` where the target has the part off.
    init<Value>(
        _ name: String, orOff keys: [Key<Value>], _ property: WritableKeyPath<Target, Value?>, from standard: Value
    ) {
        self.init(name: name) { place, target in
            guard !place.isOff else { return target[keyPath: property] = nil }
            var value = target[keyPath: property] ?? standard
            place.read(keys, into: &value, or: Off.allowed)
            target[keyPath: property] = value
        }
    }

    /// This key, where its mapping cannot do without it.
    var required: Key { Key(name: name, isRequired: true, read: read) }
}
