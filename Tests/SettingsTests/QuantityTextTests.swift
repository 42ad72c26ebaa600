import Flow
import Testing

@testable import Settings

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("250ms", Duration.milliseconds(250), "250ms"), ("5s", .seconds(5), "5s"), ("1m", .seconds(60), "1m"),
        ("1h", .seconds(3600), "1h"), ("90s", .seconds(90), "90s"), ("60s", .seconds(60), "1m"), ("0ms", .zero, "0s"),
        ("999999999h", .seconds(999_999_999 * 3600), "999999999h"),
    ])
    func readsAndWrites(text: String, duration: Duration, canonical: String) {
        #expect(Duration(text: text) == duration)
        #expect(duration.text == canonical)
    }

    @Test(arguments: [
        "", "5", "s", "ms", "5 s", " 5s", "5s ", "-5s", "+5s", "1.5s", "5S", "5sec", "05s", "1h30m", "1000000000h",
        "٥s",
        "5ｓ", "5s\0", "99999999999999999999s", "0x5s", "5_0s",
    ])
    func refuses(_ text: String) {
        #expect(Duration(text: text) == nil)
    }
}

@Suite struct ByteCountTextTests {
    @Test(arguments: [
        ("0", ByteCount.zero, "0"), ("4095", ByteCount(4095), "4095"), ("4096", .kibibytes(4), "4KiB"),
        ("64KiB", .kibibytes(64), "64KiB"), ("1MiB", .mebibytes(1), "1MiB"), ("1GiB", .gibibytes(1), "1GiB"),
        ("8589934591GiB", .gibibytes(8_589_934_591), "8589934591GiB"),
    ])
    func readsAndWrites(text: String, size: ByteCount, canonical: String) {
        #expect(ByteCount(text: text) == size)
        #expect(size.text == canonical)
    }

    @Test(arguments: [
        "", "KiB", "-1", "+1", "1KB", "1kb", "1K", "1kib", "1 KiB", "1.5MiB", "01", "1TiB", "8589934592GiB",
        "999999999999999999GiB", "1000000000000000000", "0x10", "１",
    ])
    func refuses(_ text: String) {
        #expect(ByteCount(text: text) == nil)
    }
}
