import Flow

// The files of `client_tier`. Reading is separate from parsing the configuration, which opens no file.

/// Why a file that the configuration names cannot be read.
package struct UnreadableFile: Error, Equatable, Sendable {
    package let reason: String

    package init(reason: String) { self.reason = reason }
}

extension Configuration {
    /// Reads the files that assign clients to tiers.
    ///
    /// - Parameters:
    ///   - file: The name of the configuration file, with which the errors of a file that cannot be read begin.
    ///   - content: The content of the file at a path, of at most ``TierTable/maximumBytes``; called once for each path.
    /// - Returns: Warnings about tiers that no route has, in the order of the files.
    /// - Throws: All errors, with the name of the file and the line; at most ten of each file. They never contain a key.
    /// - Complexity: O(n) for `n` bytes, for each route.
    package mutating func readTierFiles(
        namedIn file: String, content: (_ path: String) throws(UnreadableFile) -> String
    ) throws(ConfigurationErrors) -> [ConfigurationError] {
        var texts: [String: String] = [:], errors: [ConfigurationError] = [], warnings: [ConfigurationError] = []
        for index in routes.indices {
            guard case .file(var tierFile)? = routes[index].clientTier else { continue }
            let path = tierFile.path
            do throws(UnreadableFile) {
                let text = if let known = texts[path.path] { known } else { try content(path.path) }
                texts[path.path] = text
                let reading = Reading(file: path.path, variables: Variables(values: [:]))
                tierFile.table = TierTable(text, of: routes[index], reporting: reading)
                errors += reading.errors
                warnings += reading.warnings
            } catch {
                let message = "`routes.client_tier.file` is \(path.written): \(error.reason)"
                errors.append(
                    ConfigurationError(file: file, line: path.line, column: path.column, message: message))
            }
            routes[index].clientTier = .file(tierFile)
        }
        if !errors.isEmpty { throw ConfigurationErrors(errors) }
        return warnings
    }
}

extension TierTable {
    /// The maximum length of a file.
    package static let maximumBytes = 16 << 20
    /// The maximum number of lines.
    static let maximumLines = 200_000
    /// The maximum length of a line in bytes.
    static let maximumLine = 4096
    /// The errors that are reported of one file.
    private static let mostErrors = 10

    /// Reads the lines of a file, and reports its errors, and the tiers that the route does not have.
    init(_ text: String, of route: Route, reporting reading: Reading) {
        self.init()
        let lines = text.utf8.split(
            separator: UInt8(ascii: "\n"), maxSplits: Self.maximumLines, omittingEmptySubsequences: false)
        var unknown: Set<String> = []
        for (index, line) in lines.enumerated() {
            let position = Position(line: index + 1, column: 1)
            guard reading.errors.count < Self.mostErrors else {
                reading.report("further errors are not shown", at: position)
                break
            }
            do throws(Refusal) {
                guard let tier = try add(line, number: index + 1, identity: route.clientKey),
                    route.tiers[tier] == nil, unknown.insert(tier).inserted
                else { continue }
                reading.warn(
                    "a route has no tier \(quoted(tier)): its clients have the limits of the route", at: position)
            } catch {
                reading.report(error.reason, at: position)
            }
        }
    }

    /// Adds the client of a line.
    ///
    /// - Returns: Its tier; `nil` if the line is empty or a comment.
    private mutating func add(
        _ line: Substring.UTF8View, number: Int, identity: Route.ClientKey
    ) throws(Refusal) -> String? {
        guard number <= Self.maximumLines || line.isEmpty else {
            throw Refusal(reason: "the file has more than \(Self.maximumLines) lines, the maximum")
        }
        guard line.count <= Self.maximumLine else {
            throw Refusal(reason: "the line is longer than \(Self.maximumLine) bytes, the maximum")
        }
        guard let line = try TierLine(Substring(line), identity: identity) else { return nil }
        guard add(line.key, tier: line.tier) else {
            throw Refusal(reason: "the client is named in a line above; allowed: each client once")
        }
        return line.tier
    }
}
