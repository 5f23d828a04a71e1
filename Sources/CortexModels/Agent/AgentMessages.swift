import CortexWire
import Foundation
import NIOCore

/// The first frame of the agent's connection.
struct AgentHello: Hashable, Codable {
    static let version = 1

    var `protocol`: Int
    var role: String
    var token: String

    /// Whether it comes from the process that was started with this token.
    func isFrom(token: String) -> Bool {
        self.protocol == Self.version && self.role == "storage" && self.token == token
    }
}

/// The body of a `list`.
struct ListMessage: Hashable, Codable {
    var url: String
    var options: [String: String]
    var limit: Int
}

/// The body of a `fetch`.
struct FetchMessage: Hashable, Codable {
    var url: String
    var options: [String: String]
    var folder: String
    var prefix: String
    var objects: [StoredObject]

    /// Bytes of names in one frame: six times as many, were all of them escaped, stay below the bound of a frame.
    private static let namesPerFrame = 1 << 20

    /// The request in as many frames as its objects take.
    func frames(id: UInt64) throws -> [Frame] {
        var frames: [Frame] = []
        var part = self
        part.objects = []
        var length = 0
        for object in self.objects {
            let size = object.path.utf8.count + (object.tag?.utf8.count ?? 0) + 100
            if length + size > Self.namesPerFrame {
                frames.append(try Frame(.fetch, flags: .moreFollows, id: id, json: part))
                part.objects = []
                length = 0
            }
            part.objects.append(object)
            length += size
        }
        frames.append(try Frame(.fetch, id: id, json: part))
        return frames
    }
}

/// The body of a `put`.
struct PutMessage: Hashable, Codable {
    var url: String
    var options: [String: String]
    var path: String
    var file: String
}

/// The body of a `find`.
struct FindMessage: Hashable, Codable {
    var url: String
    var options: [String: String]
    var path: String
}

/// The body of a `remove`.
struct RemoveMessage: Hashable, Codable {
    var url: String
    var options: [String: String]
    var paths: [String]
}

/// The body of a `fault`.
struct FaultMessage: Hashable, Codable {
    var kind: String
    var message: String

    var error: StorageError {
        switch self.kind {
        case "notFound": .notFound(self.message)
        case "denied": .denied(self.message)
        case "unreachable": .unreachable(self.message)
        case "changed": .changed(self.message)
        case "truncated": .truncated(self.message)
        case "diskFull": .diskFull(self.message)
        case "tooMany": .tooMany(self.message)
        case "unsupported": .unsupported(self.message)
        case "cancelled": .cancelled
        default: .failed(self.message)
        }
    }
}

extension Frame {
    init(_ kind: Kind, flags: Flags = [], id: UInt64, json: some Encodable) throws {
        self.init(kind, flags: flags, id: id, body: ByteBuffer(bytes: try JSONEncoder().encode(json)))
    }

    func decoded<Message: Decodable>(as type: Message.Type) throws -> Message {
        try JSONDecoder().decode(type, from: Data(self.body.readableBytesView))
    }
}
