import Testing

@testable import Settings

@Suite struct VariablesTests {
    let variables = Variables(values: ["A": "1", "B_2": "${A}", "EMPTY": "", "_x": "low"])

    @Test(arguments: [
        ("", ""), ("plain", "plain"), ("${A}", "1"), ("<${A}${A}>", "<11>"), ("${EMPTY}", ""), ("${_x}", "low"),
        ("${B_2}", "${A}"), ("$A", "$A"), ("$", "$"), ("{A}", "{A}"), ("}${A}", "}1"), ("$${A}", "$1"),
    ])
    func fillsIn(text: String, filled: String) throws {
        #expect(try variables.filled(text) == filled)
    }

    @Test(arguments: [
        "${", "${A", "${}", "${1}", "${A-B}", "${ A}", "${a:-b}", "${A${A}}", "${ä}", "${A}${", "${MISSING}",
    ])
    func refuses(_ text: String) {
        #expect(throws: Refusal.self) { try variables.filled(text) }
    }
}
