import Flow

// The keys of a route for what its records contain.

extension Schema {
    /// The keys of `end_record`, of which one form is written.
    struct EndRecordKeys {
        var data: String?
        var pointer: String?
        var value: String?

        /// The keys that give this record.
        init(_ record: Route.EndRecord?) {
            switch record {
            case nil: break
            case .data(let data): self.data = data
            case .pointer(let pointer, let value): (self.pointer, self.value) = (pointer, value)
            }
        }
    }

    static var endRecordKeys: [Key<EndRecordKeys>] {
        [
            Key("data", .recordText, \.data),
            Key("pointer", .jsonPointer, \.pointer),
            Key("value", .recordText, \.value),
        ]
    }

    static var endRecord: Key<Route> {
        Key(
            name: "end_record", .mapping(of: endRecordKeys).orOff,
            write: { .mapping(of: $0.endRecord.map(EndRecordKeys.init), orOffBy: endRecordKeys) }
        ) { setting, route in
            guard !setting.isOff else { return }
            var keys = EndRecordKeys(nil)
            setting.read(endRecordKeys, into: &keys, or: Off.allowed)
            route.endRecord =
                switch (keys.data, keys.pointer, keys.value) {
                case (let data?, nil, nil): .data(data)
                case (nil, let pointer?, let value?): .pointer(pointer, value: value)
                default: nil
                }
            let (data, pointer, value) = (setting["data"], setting["pointer"], setting["value"])
            let isOneForm = data == nil ? pointer != nil && value != nil : pointer == nil && value == nil
            guard setting.isMapping, !isOneForm else { return }
            setting.report("is \(setting.description); allowed: a mapping of either `data`, or `pointer` and `value`")
        }
    }

    static var weightKeys: [Key<Route.Weight>] {
        [
            Key("pointer", .jsonPointer, \.pointer).required,
            Key("default", .integer(0...RecordWeights.heaviest), \.standard),
            Key("cumulative", .flag, \.isCumulative),
        ]
    }
}
