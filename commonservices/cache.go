package commonservices

import (
	"net/url"
	"sync"
	"time"
)

// cache keeps verified successes of a client by their query, where directories
// were found last, and which of them were out of reach a moment ago.
type cache struct {
	mu    sync.Mutex
	kept  map[string]*keptAnswer
	bytes int
	bases map[string]*url.URL  // by service and country
	down  map[string]time.Time // by base address: until when to ask nobody
	lists map[string]keptList  // by address
}

// keptList is a code list of the Semantic Repository.
type keptList struct {
	at    time.Time
	codes []Code
}

// keptAnswer is never changed once it is kept.
type keptAnswer struct {
	at   time.Time // when the directory gave or confirmed it
	said *Decoded
	body []byte // as signed
	etag string
}

const maxCacheBytes = 64 << 20

func (c *cache) get(key string) *keptAnswer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept[key]
}

// put keeps an answer; the oldest ones make room.
func (c *cache) put(key string, a *keptAnswer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(a.body) > maxCacheBytes/4 {
		return
	}
	if c.kept == nil {
		c.kept = map[string]*keptAnswer{}
	}
	if old := c.kept[key]; old != nil {
		c.bytes -= len(old.body)
	}
	c.kept[key] = a
	c.bytes += len(a.body)
	for c.bytes > maxCacheBytes {
		oldest := ""
		for k, v := range c.kept {
			if oldest == "" || v.at.Before(c.kept[oldest].at) {
				oldest = k
			}
		}
		c.bytes -= len(c.kept[oldest].body)
		delete(c.kept, oldest)
	}
}

// maxPlaces bounds the smaller memories: 31 countries, two services, and the
// lists of their questions.
const maxPlaces = 512

// located remembers where a directory was found; without a base it tells it.
func (c *cache) located(key string, base *url.URL) *url.URL {
	c.mu.Lock()
	defer c.mu.Unlock()
	if base == nil {
		return c.bases[key]
	}
	if c.bases == nil || len(c.bases) >= maxPlaces {
		c.bases = map[string]*url.URL{}
	}
	c.bases[key] = base
	return base
}

// outage notes that a directory cannot be reached before an instant.
func (c *cache) outage(base string, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down == nil || len(c.down) >= maxPlaces {
		c.down = map[string]time.Time{}
	}
	c.down[base] = until
}

func (c *cache) isDown(base string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return now.Before(c.down[base])
}

func (c *cache) list(address string) keptList {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lists[address]
}

func (c *cache) putList(address string, l keptList) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lists == nil || len(c.lists) >= maxPlaces {
		c.lists = map[string]keptList{}
	}
	c.lists[address] = l
}
