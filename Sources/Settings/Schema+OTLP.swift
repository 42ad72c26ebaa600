import Flow
import HTTPText

// The keys of `otlp`.

extension Schema {
    static var otlpKeys: [Key<Configuration.OTLP>] {
        [
            Key("endpoint", .endpoint, \.endpoint).required,
            Key("sample", .share, \.sample),
            Key(
                name: "headers", .entries(of: Form.headerValue.shape),
                write: { YAMLText.fields($0.headers) }
            ) { setting, otlp in
                guard let fields = fields(in: setting) else { return }
                let own = ["content-type", "content-encoding", "user-agent"]
                for field in fields where own.contains(field.name.lowercased()) {
                    setting.report("has `\(field.name)`: weir writes this field itself")
                }
                otlp.headers = fields
            },
            Key("compression", .word(), \.compression),
            Key(fileOrOff: "ca_file", \.authority),
            Key("metrics", orOff: .duration(.seconds(1) ... .hours(1)), \.metricsInterval),
            Key("service_name", .resourceText, \.serviceName),
            Key("instance", .resourceText, \.instance),
        ]
    }

    static var otlp: Key<Configuration> {
        Key("otlp", wholeOrOff: otlpKeys, \.otlp, from: .blank) { otlp, setting in
            if otlp.authority != nil, otlp.endpoint.address.scheme != .https {
                setting["ca_file"]?.report("has no effect here; allowed: with an `https:` endpoint")
            }
        }
    }
}

extension Configuration.OTLP {
    /// The initial value; the endpoint is required, so an error was reported if this one remains.
    fileprivate static var blank: Configuration.OTLP {
        Configuration.OTLP(endpoint: Endpoint(address: UpstreamAddress(host: "", port: 0)))
    }
}

extension Form where Value == Configuration.OTLP.Endpoint {
    fileprivate static var endpoint: Form {
        let url = "`http://` or `https://`, a host, and perhaps a port and a path, such as `http://127.0.0.1:4318`"
        // Not shown in errors: it may contain a password, in spite of what is allowed.
        return Form(
            allowed: url, isSecret: true, .string,
            text: { $0.address.url + $0.path }
        ) { text throws(Refusal) in try Configuration.OTLP.Endpoint(text) }
    }
}

extension Form where Value == Double {
    /// A part of a whole, as a decimal number.
    fileprivate static var share: Form {
        Form(allowed: "a number from 0 to 1, such as `0.01`", .text, text: \.decimalText) { text in
            let isDecimal = text.utf8.allSatisfy { $0.isDigit || $0 == UInt8(ascii: ".") }
            guard isDecimal, text.utf8.count <= 20, text.utf8.first?.isDigit == true, let share = Double(text) else {
                return nil
            }
            return share <= 1 ? share : nil
        }
    }
}

extension Form where Value == String {
    /// The value of an attribute of the resource.
    fileprivate static var resourceText: Form {
        Form(allowed: "1 to 255 printable ASCII characters", .text) { text in
            (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) } ? text : nil
        }
    }
}

extension Double {
    /// A number from 0 to 1 without an exponent, in at most 20 characters.
    fileprivate var decimalText: String {
        let text = description
        guard text.contains("e") else { return text }
        let digits = String(Int64((self * 1e18).rounded()))
        return "0." + String(repeating: "0", count: 18 - digits.utf8.count) + digits
    }
}
