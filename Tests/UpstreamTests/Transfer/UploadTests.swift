import NIOHTTP1
import TestSupport
import Testing

@testable import Upstream

@Suite struct UploadTests {
    /// An upload of a chunked body.
    private func upload(mayRepeat: Bool = true, keepsBody: Bool = true) -> Upload {
        Upload(.init(length: nil), mayRepeat: mayRepeat, keepsBody: keepsBody)
    }

    @Test(arguments: [true, false]) func theFirstAttemptIsPermitted(mayRepeat: Bool) {
        var upload = Upload(mayRepeat: mayRepeat)
        let begins = upload.begins(isAnswered: false)
        #expect(begins && !upload.wasRefused)
    }

    @Test func anIdempotentRequestIsRepeated() {
        var upload = Upload(mayRepeat: true)
        let begins = (0..<3).map { _ in upload.begins(isAnswered: false) }
        #expect(begins == [true, true, true] && !upload.wasRefused)
    }

    @Test func anotherIsNot() {
        var upload = Upload(mayRepeat: false)
        let begins = (0..<2).map { _ in upload.begins(isAnswered: false) }
        #expect(begins == [true, false] && upload.wasRefused)
    }

    @Test func anAnsweredRequestIsNotRepeated() {
        var upload = Upload(mayRepeat: true)
        let begins = [upload.begins(isAnswered: false), upload.begins(isAnswered: true)]
        #expect(begins == [true, false])
    }

    @Test(arguments: 1...7) func aBodyInMemoryIsSentAgain(room: Int) {
        var upload = upload()
        _ = upload.begins(isAnswered: false)
        upload.took("abc")
        upload.took("defg")
        upload.ended()
        #expect(upload.isComplete)
        let mayBegin = upload.begins(isAnswered: false)
        let isRewound = upload.rewind()
        #expect(mayBegin && isRewound && !upload.isComplete)
        #expect(upload.replayed(room: room) == "abcdefg")
        #expect(upload.isComplete)
    }

    @Test func aBodyThatContinuesAfterTheSecondAttemptIsKeptAsWell() {
        var upload = upload()
        upload.took("abc")
        var isRewound = upload.rewind()
        #expect(isRewound && upload.replayed(room: 2) == "abc")
        upload.took("def")
        isRewound = upload.rewind()
        #expect(isRewound && upload.replayed(room: 4) == "abcdef")
    }

    @Test func aBodyLargerThanTheLimitIsNotKept() {
        var upload = upload()
        _ = upload.begins(isAnswered: false)
        upload.took(String(repeating: "x", count: Upload.maximumKept))
        var isRewound = upload.rewind()
        #expect(isRewound)
        upload.took("x")
        isRewound = upload.rewind()
        let mayBegin = upload.begins(isAnswered: false)
        #expect(!isRewound && !mayBegin)
    }

    @Test(arguments: [(false, true), (true, false)]) func nothingIsKeptWithoutASecondAttempt(
        mayRepeat: Bool, keepsBody: Bool
    ) {
        var upload = upload(mayRepeat: mayRepeat, keepsBody: keepsBody)
        upload.took("abc")
        let isRewound = upload.rewind()
        #expect(!isRewound)
    }

    @Test func itIsCompleteWithItsLastByte() {
        #expect(Upload().isComplete && Upload(.init(length: 0)).isComplete)
        var upload = Upload(.init(length: 5))
        #expect(!upload.isComplete && !upload.hasBegun)
        upload.took("abcd")
        #expect(!upload.isComplete && upload.hasBegun)
        upload.took("e")
        #expect(upload.isComplete)
    }

    @Test func itContinuesWhenMoreHasArrived() {
        var upload = Upload()
        #expect(!upload.canGoOn)
        upload.isHeld = true
        #expect(!upload.canGoOn)
        upload.hasMore = true
        #expect(upload.canGoOn)
    }

    @Test(arguments: ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "PROPFIND", "REPORT", "SEARCH", "QUERY"])
    func idempotentMethodsAreKnown(method: String) { #expect(HTTPMethod(rawValue: method).isIdempotent) }

    @Test(arguments: ["POST", "PATCH", "LOCK", "BREW", "query"])
    func othersAreNotIdempotent(method: String) { #expect(!HTTPMethod(rawValue: method).isIdempotent) }
}

extension Upload {
    fileprivate mutating func took(_ text: String) { Array(text.utf8).withUnsafeBytes { took($0) } }

    /// What is kept, taken with so much room at a time.
    fileprivate mutating func replayed(room: Int) -> String { replayedText(room: room) { replay(into: $0) } }
}
