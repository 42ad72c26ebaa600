import Flow
import Settings

/// The result of `weir check`.
struct CheckReport {
    private let name: String
    private let result: Result<LoadedConfiguration, any Error>

    init(of file: ConfigurationFile) {
        name = file.name
        result = Result { try file.load() }
    }

    var isValid: Bool { if case .success = result { true } else { false } }

    /// The errors or warnings, as they are written to standard error.
    var lines: [String] {
        switch result {
        case .success(let loaded): loaded.warningLines
        case .failure(let error): ["\(error)"]
        }
    }

    /// One line about a valid file; `nil` if it is not valid.
    var summary: String? {
        guard case .success(let loaded) = result else { return nil }
        let routes = loaded.configuration.routes.count
        return "\(name) is valid: \(routes) \(routes == 1 ? "route" : "routes")"
    }

    /// The effective configuration; `nil` if the file is not valid.
    var effectiveText: String? { if case .success(let loaded) = result { loaded.configuration.text } else { nil } }

    /// The result as one JSON object; a problem of a file that cannot be read has no line.
    ///
    /// `{"valid":…,"file":…,"routes":…,"problems":[{"severity":…,"line":…,"column":…,"message":…}]}`;
    /// a problem in another file has that file's name as well
    var json: String {
        var json = JSONText(capacity: 256)
        json.add("valid", isValid)
        json.add("file", name)
        switch result {
        case .success(let loaded):
            json.add("routes", loaded.configuration.routes.count)
            json.add("problems", array: loaded.warnings.map { problem("warning", $0) })
        case .failure(let error as ConfigurationErrors):
            json.add("problems", array: error.errors.map { problem("error", $0) })
        case .failure(let error):
            var problem = JSONText(capacity: 128)
            problem.add("severity", "error")
            problem.add("message", "\(error)")
            json.add("problems", array: [problem.closed()])
        }
        return String(decoding: json.closed(), as: UTF8.self)
    }

    private func problem(_ severity: String, _ error: ConfigurationError) -> [UInt8] {
        var json = JSONText(capacity: 128)
        json.add("severity", severity)
        if error.file != name { json.add("file", error.file) }
        json.add("line", error.line)
        json.add("column", error.column)
        json.add("message", error.message)
        return json.closed()
    }
}
