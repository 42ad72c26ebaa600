import Testing

@testable import HTTPText

struct FieldLineTests {
    private func read(_ line: [UInt8]) throws(FieldLine.Fault) -> FieldLine {
        let result = line.withUnsafeBytes { line in
            Result { () throws(FieldLine.Fault) in try FieldLine(line) }
        }
        return try result.get()
    }

    /// RFC 9110, section 5.5: white space around a value is no part of it.
    @Test(arguments: ["b", " b", "b ", "\tb", "b\t", " \t b \t "]) func whitespaceAroundAValueIsRemoved(
        value: String
    ) throws {
        let field = try read(Array("X-A:\(value)".utf8))
        #expect(field.name == "X-A" && field.value == "b")
    }

    @Test(arguments: ["X-A:", "X-A: ", "X-A:\t \t"]) func aValueMayBeEmpty(line: String) throws {
        #expect(try read(Array(line.utf8)).value.isEmpty)
    }

    @Test(arguments: ["", "X-A", ": b", "X-A : b", "X-A\t: b", " X-A: b", "\tb", "X(A): b", "X A: b", "\u{E9}: b"])
    func aNameIsATokenBeforeAColon(line: String) {
        #expect(throws: FieldLine.Fault.name) { try read(Array(line.utf8)) }
    }

    /// RFC 9110, section 5.5: each byte, alone within a value.
    @Test func aValueHoldsNoControlCharacters() throws {
        for byte in UInt8.min...UInt8.max {
            let line = Array("X-A: a".utf8) + [byte] + Array("b".utf8)
            let isControl = byte < 0x20 && byte != 0x09 || byte == 0x7F
            if isControl {
                #expect(throws: FieldLine.Fault.value) { try read(line) }
            } else {
                #expect(try FieldText.bytes(read(line).value) == [0x61, byte, 0x62])
            }
        }
    }

    /// Eight bytes are checked at a time: a byte is found at every place of values of every length.
    @Test func aByteIsFoundAtEveryPlace() throws {
        for length in 1...24 {
            for place in 0..<length {
                for byte: UInt8 in [0x00, 0x09, 0x1F, 0x20, 0x7E, 0x7F, 0x80, 0xFF] {
                    var value = [UInt8](repeating: 0x61, count: length + 2)
                    value[place + 1] = byte
                    let line = Array("X-A:".utf8) + value
                    if byte < 0x20 && byte != 0x09 || byte == 0x7F {
                        #expect(throws: FieldLine.Fault.value) { try read(line) }
                    } else {
                        #expect(try FieldText.bytes(read(line).value) == value)
                    }
                }
            }
        }
    }
}
