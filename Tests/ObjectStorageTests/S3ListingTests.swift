import CivilTime
import Testing

@testable import ObjectStorage

@Suite struct S3ListingTests {
    @Test("a listing is read: encoded keys, folders, and where it goes on")
    func pageOfObjects() throws {
        let listing = try #require(
            read(
                """
                <?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
                <Name>logs</Name><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>
                <NextContinuationToken>a+/=</NextContinuationToken>
                <Contents><Key>a/b+c%2Bd%26%C3%A9</Key><LastModified>2026-11-21T01:23:45.678Z</LastModified>
                <ETag>&quot;9a0364b9e99bb480dd25e1f0284c8555&quot;</ETag><Size>7</Size></Contents>
                <CommonPrefixes><Prefix>a/z%20/</Prefix></CommonPrefixes></ListBucketResult>
                """))
        let page = listing.page(behind: nil)
        let object = try #require(page.objects.first)
        #expect(object.key.description == "a/b c+d&é")
        #expect(object.size == 7)
        #expect(object.tag.description == "\"9a0364b9e99bb480dd25e1f0284c8555\"")
        #expect(object.modified.description == "2026-11-21T01:23:45.678000Z")
        #expect(page.folders == ["a/z /"])
        #expect(page.next == "a/z /")
        #expect(listing.continuation == "a+/=")
    }

    @Test("sizes that no object has make a listing none", arguments: ["-1", "9223372036854775807", "1e3"])
    func absurdSizes(size: String) {
        func listing(_ size: String) -> S3Listing? {
            read(
                """
                <ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key>
                <LastModified>2026-11-21T01:23:45.678Z</LastModified><ETag>t</ETag><Size>\(size)</Size></Contents>
                </ListBucketResult>
                """)
        }
        #expect(listing("5497558138880") != nil)
        #expect(listing(size) == nil)
    }

    @Test("keys that no store here can have are left out, and the next page begins behind them")
    func strangeKeys() throws {
        let listing = try #require(
            read(
                keys: ["a//b", "folder/", "../x"],
                rest: "<IsTruncated>true</IsTruncated>"
                    + "<NextContinuationToken>t</NextContinuationToken>"))
        let page = listing.page(behind: nil)
        #expect(page.objects.isEmpty)
        #expect(page.next == "../x")
    }

    @Test("a folder that the page before has told is not told again")
    func folderTwice() throws {
        let listing = try #require(
            read(
                keys: [],
                rest: "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>"
                    + "<CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>"))
        #expect(listing.page(behind: "a/").folders == ["b/"])
        #expect(listing.page(behind: "a/9").folders == ["b/"])
        #expect(listing.page(behind: "a").folders == ["a/", "b/"])
    }

    @Test("a page that is grouped goes on behind the whole folder")
    func startBehindFolder() throws {
        func start(_ query: ListQuery) -> String? {
            query.parameters(continuation: nil).first { $0.name == "start-after" }?.value
        }
        #expect(start(ListQuery(startAfter: "a/", groupsByFolder: true)) == "a/\u{10FFFF}")
        #expect(start(ListQuery(prefix: "a/", startAfter: "a/b/c", groupsByFolder: true)) == "a/b/\u{10FFFF}")
        #expect(start(ListQuery(prefix: "a/", startAfter: "a/b", groupsByFolder: true)) == "a/b")
        #expect(start(ListQuery(startAfter: "a/b")) == "a/b")
    }

    @Test(
        "what is no listing is refused",
        arguments: [
            "", "<html/>", "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
            "<ListBucketResult><IsTruncated>maybe</IsTruncated></ListBucketResult>",
            "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
            "<ListBucketResult><Contents><Key>a</Key><Size>x</Size><ETag>t</ETag>"
                + "<LastModified>2026-11-21T01:23:45Z</LastModified></Contents></ListBucketResult>",
            "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%zz</Key><Size>1</Size><ETag>t</ETag>"
                + "<LastModified>2026-11-21T01:23:45Z</LastModified></Contents></ListBucketResult>",
        ])
    func refused(_ text: String) { #expect(read(text) == nil) }

    private func read(_ text: String) -> S3Listing? { S3Listing(Array(text.utf8)) }

    private func read(keys: [String], rest: String) -> S3Listing? {
        let contents = keys.map {
            "<Contents><Key>\($0)</Key><Size>1</Size><ETag>t</ETag>"
                + "<LastModified>2026-11-21T01:23:45Z</LastModified></Contents>"
        }
        return read("<ListBucketResult>\(contents.joined())\(rest)</ListBucketResult>")
    }
}
