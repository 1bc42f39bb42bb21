package commonservices

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"
)

// NameUUID is the version 5 UUID of a name in a namespace (RFC 9562 §5.5).
func NameUUID(namespace, name string) string {
	space, _ := hex.DecodeString(strings.ReplaceAll(namespace, "-", ""))
	sum := sha1.Sum(append(space, name...))
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
