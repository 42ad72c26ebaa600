import Flow
import Testing

@Suite struct ContentCodingTests {
    @Test(arguments: [
        "gzip", "x-gzip", "GZIP", " br ", "deflate", "compress", "x-compress", "zstd", "dcb", "dcz", "exi", "aes128gcm",
        "pack200-gzip",
    ])
    func aRegisteredCodingIsKnownInAnyCase(name: String) {
        #expect(ContentCoding(name[...]) != nil)
    }

    @Test(arguments: ["identity", "", "none", "UTF-8", "utf8", "binary", "8bit", "x-br", "gzip;q=1", "chunked", "null"])
    func anyOtherWordIsNone(name: String) {
        #expect(ContentCoding(name[...]) == nil)
    }
}
