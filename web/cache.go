package web

import "sync"

// cacheBytes bounds the rendered pages that are kept: about a thousand pages.
const cacheBytes = 64 << 20

// cache keeps rendered bodies of one generation: one state of the ledger and
// its snapshots. A new generation empties it; a full one forgets the older
// half, so that made-up queries cannot fill the memory.
type cache struct {
	mu         sync.RWMutex
	limit      int
	size, old  int
	generation string
	young      map[string]*body
	aged       map[string]*body
}

func newCache(limit int) *cache {
	return &cache{limit: limit, young: map[string]*body{}, aged: map[string]*body{}}
}

// get returns the body kept under key for this generation, or nil.
func (c *cache) get(generation, key string) *body {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.generation != generation {
		return nil
	}
	if b := c.young[key]; b != nil {
		return b
	}
	return c.aged[key]
}

// put keeps a body. One that was rendered from an older generation than the
// newest seen replaces nothing of use: it empties the cache once and no more.
func (c *cache) put(generation, key string, b *body) {
	size := len(b.Raw) + len(b.Gzip) + len(key) + 200
	if size > c.limit/4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.generation != generation {
		c.generation, c.size, c.old = generation, 0, 0
		c.young, c.aged = map[string]*body{}, map[string]*body{}
	}
	if c.size+size > c.limit/2 {
		c.aged, c.old = c.young, c.size
		c.young, c.size = map[string]*body{}, 0
	}
	if c.young[key] == nil {
		c.young[key] = b
		c.size += size
	}
}
