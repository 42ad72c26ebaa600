import Testing

@testable import HTTPText

struct UInt8HTTPTests {
    @Test func aTargetIsVisibleASCIIWithoutAFragment() {
        let allowed = Set(UInt8(0x21)...0x7E).subtracting([UInt8(ascii: "#")])
        #expect((UInt8.min...UInt8.max).allSatisfy { $0.isTargetByte == allowed.contains($0) })
    }

    @Test func tokensAreMadeOfTheBytesThatTheStandardLists() {
        let listed = Set("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        for byte in UInt8.min...UInt8.max { #expect(byte.isTokenByte == listed.contains(byte)) }
    }

    @Test func noControlByteButTheTabIsPartOfAValue() {
        for byte in UInt8.min...UInt8.max {
            let isControl = byte < 0x20 || byte == 0x7F
            #expect(byte.isFieldValueByte == (!isControl || byte == 0x09))
        }
    }

    @Test func onlyLettersHaveALowerCase() {
        for byte in UInt8.min...UInt8.max {
            let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
            #expect(byte.lowercasedASCII == (letters.contains(byte) ? byte + 32 : byte))
        }
    }
}
