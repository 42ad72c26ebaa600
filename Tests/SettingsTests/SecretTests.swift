import Testing

@testable import Settings

@Suite struct SecretTests {
    private let secret = Secret("correct horse battery")

    @Test func nothingShowsIt() {
        for shown in ["\(secret)", String(reflecting: secret), "\(Optional(secret) as Any)", "\([secret])"] {
            #expect(!shown.contains("horse"))
        }
        var text = ""
        dump(secret, to: &text)
        #expect(!text.contains("99") && text.count < 80)
    }

    @Test func itIsKnownByAllOfItsBytes() {
        #expect(secret.matches("correct horse battery".utf8))
        for other in ["", "c", "correct horse batterz", "Correct horse battery", "correct horse battery ", "correct"] {
            #expect(!secret.matches(other.utf8))
        }
        #expect(!secret.matches("correct horse batterycorrect horse battery".utf8))
    }

    @Test func anEmptyOneMatchesNothing() {
        #expect(!Secret("").matches("".utf8))
        #expect(!Secret("").matches("a".utf8))
    }
}
