import Flow
import Testing

@Suite struct HealthCheckTests {
    private static let policy = HealthCheck.Policy(rise: 2, fall: 3, interval: .seconds(5))

    /// What becomes of it, answer by answer: `+` good, `-` bad; `U` up, `D` down.
    @Test(arguments: [
        ("", ""), ("+++", "UUU"), ("--+--+", "UUUUUU"), ("---", "UUD"), ("----", "UUDD"), ("---+", "UUDD"),
        ("---++", "UUDDU"), ("---+-+", "UUDDDD"), ("---+-++", "UUDDDDU"), ("---++---", "UUDDUUUD"),
    ]) func aRunOfAnswersDecides(answers: String, states: String) {
        var check = HealthCheck(), seen = ""
        for answer in answers {
            let before = check.isDown
            let hasChanged = check.answered(isGood: answer == "+", by: Self.policy)
            #expect(hasChanged == (check.isDown != before))
            seen += check.isDown ? "D" : "U"
        }
        #expect(seen == states)
    }

    @Test func oneAnswerMayBeEnough() {
        var check = HealthCheck()
        let policy = HealthCheck.Policy(rise: 1, fall: 1, interval: .seconds(1))
        let changes = [false, false, true, true, false].map { check.answered(isGood: $0, by: policy) }
        #expect(changes == [true, false, true, false, true])
    }
}
