import Flow
import Testing

extension Rate {
    /// A rate that the test has written correctly.
    static func of(_ text: String) throws -> Rate { try #require(Rate(text)) }
}
