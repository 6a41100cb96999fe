/** What programs and people write, which has to stay as it is: an operator looks for it. Not one of them says a secret. */
export const ORDINARY_TEXTS: readonly string[] = String.raw`
Look at example.com for more
look at the dot product of a and b
We met at noon. Then we left.
meet (at) the station
the array at index 3 is empty. Sorry.
arrays of numbers at position 1 . 2
at Object.<anonymous> (src/a.ts:10:5)
at new Promise (<anonymous>)
@Injectable decorators are at the top
npm i @scope/pkg @ latest
rendering took 5 ms @ 60 fps
price: 5 @ 2.50 each
f(x) at x = 2 dot
look_at_matrix and dot_product
bob looked at him. com is a suffix
the x-home-page header is -home-page
class="-home-button-x"
run with -home-dir /opt
my_home_address_line is empty
user-home-directory was not found
--home-page=https://example.com
the %home% variable is unset
100%home%page
می‌خواهم
👩‍💻 works, ❤️ too
नमस्ते दुनिया
Привет, мир: заказ 17
注文：17 は見つかりません
错误：连接超时（5 秒）
« Bonjour » dit-il : la commande 17 est prête
„Guten Tag“, sagte er: Bestellung 17
“Hello,” she said: fine
l’utilisateur a annulé la commande : délai dépassé
Der Schlüssel des Objekts ist id: 17
La clave primaria es id
Das Passwort ist zu kurz
Le mot de passe est obligatoire
password must be at least 8 characters
the passwords do not match
senha inválida
La parola è troppo lunga
https://example.com/a%20b?x=1%2C2
https://example.com/?q=caf%C3%A9
https://example.com/?next=%2Forders%2F17
GET /search?q=100%25 200
a%20b%20c
sort=-created_at&fields=id%2Cname
{"q":"a%20b"}
50%25 done
progress 12%34
docker run -p 8080:80 nginx
docker run -d -p 5432:5432 postgres
redis-cli -p 6379 ping
mysql -p is prompted
curl -X POST https://example.com/a
zip -r a.zip b
mongo --port 27017 shop
openssl version
INSERT INTO orders (id, name) VALUES (17, 'Paint')
INSERT INTO t VALUES ('a', 'b')
authenticate(user) failed
author("Bob") is set
auth (see above) failed
token(s) used: 17
keys: a, b and c
primary keys: id, name
error codes: 17, 18
foreign keys: order_id
hash: 17
session 17 has expired
session=17
the pass rate is 93.5%
compass: north
bypass: true
secretary: Bob
tokenizer: bpe
passenger: Bob
keyboard: qwerty
the code: 17
status code: 404
zip code: 12345
country code: 49
exit code: 137
host key verification failed
ssh key type: ed25519
/home and /Users are empty
/usr/home is a link
/run/media is not mounted
/mnt/data/file.txt
/proc/1/status
/net/dev and /srv/data/x
/var/lib/docker/overlay2/abc/merged/etc/passwd
/var/mail is full
\section{Users}
a\nb
regex: \/foo\/bar
0x40 and \x00 bytes
alice's order
git@host is not set
v1.2.3@latest
user@1.2.3
main@{upstream}
origin/main@17
HTTP/1.1 200 OK
Content-Type: text/plain; charset=utf-8
cookie policy accepted
keep-alive: timeout=5
x-request-id: 01a1fee6-de28-757b-9dcc-6b1df9c68a7b
etag: W/"17-abc"
the jeton was found
2026-11-21T16:18:25.448Z info started
a.b.c.d.e.f
x = y * (a + b) / 2
3 + 4 = 7 &amp; 8 &lt; 9
&copy; 2026 Example
sha256 of the file differs
build 20261121161825 done
id 404142434445 unknown
deadbeef is a pattern
00000000-0000-3010-9826-448071a00000
cafebabe00 loaded
0123456789abcdef
port 5432 is in use
10.0.0.1:5432:up
host:80:a:b
src/a.ts:10:5:error:unexpected
1:2:3:4:5
a:1:b:c:d
`
  .trim()
  .split('\n');
