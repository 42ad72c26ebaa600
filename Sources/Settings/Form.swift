import Flow
import HTTPText

/// A kind of scalar: how its text is read and written, and how an error describes the allowed values.
struct Form<Value> {
    let allowed: String
    /// Whether errors must not contain the text.
    let isSecret: Bool
    let shape: Shape
    /// The text from which a value is read again; a placeholder for a secret.
    let text: (Value) -> String
    /// Reads a text whose variables are filled in; returns `nil` if ``allowed`` is a sufficient description of the
    /// error.
    let read: (String) throws(Refusal) -> Value?

    init(
        allowed: String, isSecret: Bool = false, _ scalar: Shape.Scalar, text: @escaping (Value) -> String,
        read: @escaping (String) throws(Refusal) -> Value?
    ) {
        self.init(
            allowed: allowed, isSecret: isSecret, shape: .scalar(scalar, allowed: allowed), text: text, read: read)
    }

    private init(
        allowed: String, isSecret: Bool, shape: Shape, text: @escaping (Value) -> String,
        read: @escaping (String) throws(Refusal) -> Value?
    ) {
        (self.allowed, self.isSecret, self.shape, self.text, self.read) = (allowed, isSecret, shape, text, read)
    }

    /// This form, or one of the words for `nil`, all in lower case; errors name the first.
    func or(_ words: [String]) -> Form<Value?> {
        Form<Value?>(
            allowed: "\(allowed), or `\(words[0])`", isSecret: isSecret, shape: shape.or(words),
            text: { $0.map(text) ?? words[0] }
        ) { text throws(Refusal) in
            if words.contains(text.lowercased()) { return .some(nil) }
            guard let value = try read(text) else { return nil }
            return .some(value)
        }
    }
}

extension Form where Value == String {
    /// A text that is written as it is.
    init(
        allowed: String, _ scalar: Shape.Scalar = .string, read: @escaping (String) throws(Refusal) -> String?
    ) {
        self.init(allowed: allowed, scalar, text: { $0 }, read: read)
    }
}

extension Form where Value == Secret {
    /// A text that is never written, and whose placeholder is not read: the configuration that was printed would have a
    /// secret that is public.
    init(allowed: String, secret read: @escaping (String) -> Secret?) {
        self.init(allowed: allowed, isSecret: true, .text, text: { _ in Secret.placeholder }) { text throws(Refusal) in
            guard text != Secret.placeholder else {
                throw Refusal(reason: "it is what `weir check --print` writes in place of a secret")
            }
            return read(text)
        }
    }
}

extension Form where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> Form {
        Form(
            allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)", .number(range),
            text: { String($0) }
        ) { text in
            Int(wholeNumber: text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension Form where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> Form {
        Form(
            allowed: "a duration from \(range.lowerBound.text) to \(range.upperBound.text), such as `5s`",
            .pattern("[0-9]+(ms|s|m|h)"), text: \.text
        ) { text throws(Refusal) in
            if let duration = Duration(text: text) { return range.contains(duration) ? duration : nil }
            guard text.utf8.first?.isDigit != true else {
                throw Refusal(reason: "a duration is a whole number and its unit: `ms`, `s`, `m` or `h`")
            }
            return nil
        }
    }
}

extension Form where Value == ByteCount {
    static func size(_ range: ClosedRange<ByteCount>) -> Form {
        Form(
            allowed: "a size from \(range.lowerBound.text) to \(range.upperBound.text), such as `64KiB`",
            .patternOrNumber("[0-9]+(KiB|MiB|GiB)?"), text: \.text
        ) { text in
            ByteCount(text: text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension Form where Value == Pace {
    static var pace: Form {
        Form(
            allowed: "a rate such as `10/second`, or `unlimited`", .pattern("unlimited|[0-9.]+/[a-z]+"), text: \.text
        ) { text throws(Refusal) in
            if let pace = Pace(text) { return pace }
            guard text.utf8.first?.isDigit != true else {
                throw Refusal(reason: "a rate is a number above 0, `/`, and `second`, `minute` or `hour`")
            }
            return nil
        }
    }
}

extension Form where Value == Rate {
    static var rate: Form {
        Form(allowed: "a rate such as `5/second`", .pattern("[0-9.]+/[a-z]+"), text: \.text) { Rate($0) }
    }

    /// The rate of a budget, which is longer than that of a stream.
    static var budget: Form {
        Form(allowed: "a rate such as `5/second` or `100000/day`", .pattern("[0-9.]+/[a-z]+"), text: \.text) {
            Rate(budget: $0)
        }
    }
}

extension Form where Value == Bool {
    static var flag: Form {
        Form(allowed: "`true` or `false`", .flag, text: { String($0) }) { text in
            switch text.lowercased() {
            case "true", "yes", "on": true
            case "false", "no", "off": false
            default: nil
            }
        }
    }
}

extension Form where Value: RawRepresentable<String> & CaseIterable {
    /// One of the raw values of a type.
    static func word() -> Form {
        let words = Value.allCases.map(\.rawValue)
        return Form(allowed: choice(of: words), .words(words), text: \.rawValue) { Value(rawValue: $0) }
    }
}

extension Form where Value == ListenAddress {
    static var listenAddress: Form {
        let ip = "an address and a port from 0 to 65535, such as `127.0.0.1:8080` or `[::]:8080`"
        return Form(allowed: "\(ip), or `unix:` and a path", .pattern(".*:.*"), text: \.text) { ListenAddress($0) }
    }
}

extension Form where Value == UpstreamAddress {
    static var upstreamAddress: Form {
        let url = "`http://` or `https://`, a host, and perhaps a port from 1 to 65535, such as `http://127.0.0.1:9000`"
        return Form(allowed: "\(url), or `unix:` and a path", .pattern("(https?://|unix:).+"), text: \.text) {
            text throws(Refusal) in try UpstreamAddress(text)
        }
    }
}

extension Form where Value == AddressBlock {
    static var addressBlock: Form {
        Form(allowed: "an address or a block of them, such as `10.0.0.0/8` or `::1`", .string, text: \.text) {
            AddressBlock($0)
        }
    }
}
